"""Learning rates over a training run."""

import keras

from apps.common.config import TrainConfig


def cosine_decay(
    config: TrainConfig, steps_per_epoch: int, warmup: int = 0
) -> keras.optimizers.schedules.CosineDecay:
    """Return a learning rate that falls to 0 at the end of training, along a cosine.

    Args:
        config: Configuration with `learning_rate` and `epochs`.
        steps_per_epoch: Training steps per epoch.
        warmup: Steps at the start in which it rises from 0.
    """
    steps = config.epochs * steps_per_epoch
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=config.learning_rate, warmup_steps=warmup
    )
