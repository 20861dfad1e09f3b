"""GradientReversal: identity in the forward pass, negated gradient in the backward pass."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from seqkit.backend import custom_gradient
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class GradientReversal(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Identity in the forward pass; the backward pass reverses the gradient.

        y = x,   dL/dx = -weight dL/dy

    Layers before it are trained to raise the loss that layers after it are trained to lower.

    Args:
        weight: Factor of the reversed gradient, >= 0.

    Call arguments:
        x: Any tensor of floats.

    Returns:
        x.

    Raises:
        ValueError: If weight is negative.

    Masking:
        The mask is propagated.

    Source:
        Ganin and Lempitsky 2015, eq. 4-5 and 17-18.

    Example:
        >>> import numpy as np
        >>> from seqkit.training import GradientReversal
        >>> np.asarray(GradientReversal(0.5)(np.ones((1, 2)))).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if weight < 0:
            raise ValueError(f"GradientReversal: weight is {weight}; it must not be negative")
        self.weight = weight
        self.supports_masking = True

    def call(self, x: Tensor) -> Tensor:
        @custom_gradient
        def reverse(x: Tensor) -> tuple[Tensor, Callable]:
            return ops.copy(x), lambda gradient: -self.weight * gradient

        return reverse(x)

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        return x_shape
