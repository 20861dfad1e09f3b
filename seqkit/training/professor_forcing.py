"""Professor forcing: train free-running behavior to look like teacher-forced behavior."""

from typing import Any

import keras
from keras import ops

from seqkit.checks import as_mask, batch_of, check_sequence, check_shape, static_shape
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.training.gradient_reversal import GradientReversal
from seqkit.typing import Mask, Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class ProfessorForcing(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Adversarial loss that makes a net's free-running behavior look like teacher-forced behavior.

        C_d = -mean log D(b_forced) - mean log (1 - D(b_free))

    is added to the model's losses and trains the discriminator D. The gradient with respect to the
    free-running behavior is reversed and multiplied by `weight`; the teacher-forced behavior gets
    none. So one loss and one optimizer replace the paper's alternating updates.

    Args:
        discriminator: A layer or model from (batch, time, d), called with `mask` if there is one,
            to logits (batch, 1) or (batch,): above 0 for "forced".
        weight: Weight of the reversed gradient relative to the net's other losses, >= 0.

    Call arguments:
        forced: Teacher-forced behavior (batch, time, d): states, or states and outputs.
        free: Free-running behavior (batch, time, d); its time axis may have another length.
        mask: (batch, time) bool, True = real, of `forced`; None: the mask that Keras attached to
            it.
        free_mask: (batch, time) bool, True = real, of `free`; None: the mask that Keras attached to
            it, otherwise `mask`, if that is given.

    Returns:
        The discriminator's logits (batch, 2), for forced and for free. The outputs of a functional
        model must include them, or depend on them, for the loss to count.

    Raises:
        ValueError: If the behaviors have different sizes, or an argument's shape doesn't fit.

    Masking:
        Left to the discriminator, which gets zeros where the mask is False.

    Source:
        Lamb et al. 2016, 3.1-3.2, eq. 2-3.

    Deviations:
        The reversed gradient is that of log(1 - D(b_free)), not of the paper's log D(b_free); the
        paper's thresholds on the discriminator's accuracy and its optional third loss are left out.

    Example:
        >>> import numpy as np, keras
        >>> from seqkit import RNN, GRUCell
        >>> from seqkit.training import ProfessorForcing
        >>> discriminator = keras.Sequential([RNN(GRUCell(4)), keras.layers.Dense(1)])
        >>> layer = ProfessorForcing(discriminator, weight=0.1)
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
        self.supports_masking = True

    def build(self, forced_shape: Shape, free_shape: Shape) -> None:
        check_sequence("forced", forced_shape, self)
        check_sequence("free", free_shape, self)
        if forced_shape[-1] != free_shape[-1]:
            raise ValueError(
                f"{self.name}: forced behavior has size {forced_shape[-1]}, free-running "
                f"{free_shape[-1]}; the sizes must be equal"
            )
        if not self.discriminator.built:
            self.discriminator.build(forced_shape)

    def call(
        self, forced: Tensor, free: Tensor, mask: Mask = None, free_mask: Mask = None
    ) -> Tensor:
        free_mask = getattr(free, "_keras_mask", mask) if free_mask is None else free_mask
        # Keras fills it in only where there is one tensor argument
        mask = getattr(forced, "_keras_mask", None) if mask is None else mask
        check_sequence("forced", forced, self)
        axes = {"batch": batch_of(forced), "time": None, "features": static_shape(forced)[-1]}
        check_shape("free", free, axes, self)
        mask = as_mask("mask", mask, forced, self)
        free_mask = as_mask("free_mask", free_mask, free, self)
        forced = self._discriminate(ops.stop_gradient(forced), mask)
        free = self._discriminate(self.reversal(free), free_mask)
        logits = ops.concatenate([forced, free], axis=1)
        # -log sigmoid(x) = softplus(-x),  -log(1 - sigmoid(x)) = softplus(x)
        x = ops.cast(logits, "float32")
        self.add_loss(ops.mean(ops.softplus(-x[:, 0])) + ops.mean(ops.softplus(x[:, 1])))
        return logits

    def _discriminate(self, behavior: Tensor, mask: Mask) -> Tensor:
        kwargs = {}
        if mask is not None:
            behavior = ops.where(mask[..., None], behavior, ops.zeros((), behavior.dtype))
            kwargs["mask"] = mask
        logits = self.discriminator(behavior, **kwargs)
        if len(logits.shape) != 1:
            axes = {"batch": batch_of(behavior), "logit": 1}
            check_shape("the discriminator's output", logits, axes, self, " or (batch,)")
        return ops.reshape(logits, (-1, 1))

    def compute_mask(self, forced: Tensor, mask: Mask = None) -> None:
        return None

    def compute_output_shape(self, forced_shape: Shape, free_shape: Shape) -> Shape:
        return (forced_shape[0], 2)
