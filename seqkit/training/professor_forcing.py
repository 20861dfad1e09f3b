"""Professor forcing: what a net does behind its own tokens shall look as behind the gold ones."""

from typing import Any

import keras
from keras import ops

from seqkit.serialization import ConfigFromSignature
from seqkit.training.gradient_reversal import GradientReversal
from seqkit.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class ProfessorForcing(ConfigFromSignature, keras.layers.Layer):
    """A discriminator tells forced from free-running behaviour, and the net learns to deceive it.

        C_d = -mean log D(b_forced) - mean log (1 - D(b_free))

    is added to the model's losses. It trains the discriminator; the gradient that reaches the
    free-running behaviour is turned round and `weight` times as large, and none reaches the forced
    one, which is the professor. So one loss and one optimizer take the place of the paper's
    alternating updates.

    Args:
        discriminator: a layer or model from (batch, time, d), called with `mask` if there is one,
            to logits (batch, 1) or (batch,): above 0 for "forced".
        weight: of the deception beside the net's other losses, >= 0.

    Call arguments:
        forced: behaviour (batch, time, d) behind gold tokens: states, or states and outputs.
        free: the same behind the net's own tokens; its time axis may be another.
        mask, free_mask: (batch, time) bool, True = real, of each; `mask` holds for both where
            there is no `free_mask`.

    Returns:
        the discriminator's logits (batch, 2), of forced and of free. A functional model must have
        them, or what is made of them, among its outputs, for the loss to count.

    Masking:
        left to the discriminator, which gets zeros where the mask is False.

    Raises:
        ValueError: if the behaviours differ in width.

    Source:
        Lamb et al. 2016, 3.1-3.2, eq. 2-3.

    Deviations:
        the reversed gradient is that of log(1 - D(b_free)), not of the paper's log D(b_free); the
        paper's thresholds on the discriminator's accuracy and its optional third loss are not here.

    Example:
        >>> import numpy as np, keras
        >>> from seqkit import RNN, GRUCell
        >>> from seqkit.training import ProfessorForcing
        >>> layer = ProfessorForcing(keras.Sequential([RNN(GRUCell(4)), keras.layers.Dense(1)]), 0.1)
        >>> logits = layer(np.zeros((2, 5, 3), "float32"), np.ones((2, 7, 3), "float32"))
        >>> tuple(logits.shape), len(layer.losses)
        ((2, 2), 1)
    """

    def __init__(
        self, discriminator: keras.layers.Layer, weight: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.discriminator = discriminator
        self.weight = weight
        self.reversal = GradientReversal(weight, dtype=self.dtype_policy)

    def build(self, forced_shape: Shape, free_shape: Shape) -> None:
        if forced_shape[-1] != free_shape[-1]:
            raise ValueError(
                f"{self.name}: forced behaviour is {forced_shape[-1]} wide, free-running "
                f"{free_shape[-1]}; they must be of the same things"
            )
        if not self.discriminator.built:
            self.discriminator.build(forced_shape)

    def call(
        self,
        forced: Tensor,
        free: Tensor,
        mask: Tensor | None = None,
        free_mask: Tensor | None = None,
    ) -> Tensor:
        forced = self._judge(ops.stop_gradient(forced), mask)
        free = self._judge(self.reversal(free), mask if free_mask is None else free_mask)
        logits = ops.concatenate([forced, free], axis=1)
        # -log sigmoid(x) = softplus(-x),  -log(1 - sigmoid(x)) = softplus(x)
        x = ops.cast(logits, "float32")
        self.add_loss(ops.mean(ops.softplus(-x[:, 0])) + ops.mean(ops.softplus(x[:, 1])))
        return logits

    def _judge(self, behaviour: Tensor, mask: Tensor | None) -> Tensor:
        more = {}
        if mask is not None:
            mask = ops.cast(mask, "bool")
            behaviour = ops.where(mask[..., None], behaviour, ops.zeros((), behaviour.dtype))
            more["mask"] = mask
        return ops.reshape(self.discriminator(behaviour, **more), (-1, 1))

    def compute_output_shape(self, forced_shape: Shape, free_shape: Shape) -> tuple:
        return (forced_shape[0], 2)
