"""Small files of the user: enough training steps, and a word if they don't suffice."""

import sys
from collections.abc import Sequence
from dataclasses import replace

from apps.common.data import SplitData
from apps.common.training.fit import FitResult

STEPS_PER_EPOCH, STEPS = 20, 300  # about the fewest that teach anything
SMALLEST_BATCH = 4


def with_enough_steps(data: SplitData, args: Sequence[str]) -> SplitData:
    """Choose batch size and epochs for a small file of the user.

    A preset and options that the user gave are left as they are.

    Args:
        data: Training data of the user's files.
        args: Command-line arguments of `train`.
    """
    given = {arg.partition("=")[0].lstrip("-").replace("-", "_") for arg in args}
    if "preset" in given:
        return data
    config, count, changes = data.config, len(data.train), {}
    if "batch_size" not in given:
        changes["batch_size"] = min(
            config.batch_size, max(SMALLEST_BATCH, count // STEPS_PER_EPOCH)
        )
    data = replace(data, config=replace(config, **changes))
    epochs = max(config.epochs, -(-STEPS // data.steps_per_epoch))
    if "epochs" not in given and epochs > config.epochs:
        changes["epochs"] = epochs
        if "patience" not in given and config.patience:
            changes["patience"] = config.patience * epochs // config.epochs
    if (chosen := replace(config, **changes)) == config:
        return data
    options = " ".join(f"--{name} {value}" for name, value in changes.items())
    print(f"{config.train_file}: small, so the defaults are now {options}", file=sys.stderr)
    return replace(data, config=chosen)


def compare_with_baseline(data: SplitData, result: FitResult) -> None:
    """Print what to try if the model is no better on dev than a simple baseline."""
    if not (found := data.baseline()):
        return
    name, baseline = found
    score = float("nan") if result.best_score is None else result.best_score
    is_better = score > baseline if data.mode == "max" else score < baseline
    if not is_better:
        print(
            f"\nOn dev, the {data.monitor} of the model ({score:.2f}) is no better than that of "
            f"{name} ({baseline:.2f}).\nTry more epochs, smaller batches (now --epochs "
            f"{data.config.epochs} --batch_size {data.config.batch_size}), another "
            "--learning_rate, or more data."
        )
