"""GradientReversal: identity forwards, the negated gradient backwards."""

from typing import Any

import keras
from keras import ops

from seqkit.backend import custom_gradient
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class GradientReversal(ConfigFromSignature, keras.layers.Layer):
    """Itself forwards; backwards the gradient turned round.

        y = x,   dL/dx = -weight dL/dy

    What stands before it is trained to raise the loss that what stands behind it is trained to
    lower.

    Args:
        weight: > 0 or 0.

    Call arguments:
        any tensor of floats.

    Returns:
        the same.

    Masking:
        the mask goes on.

    Raises:
        ValueError: if weight is negative.

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
            raise ValueError(f"{self.name}: weight is {weight}; it must not be negative")
        self.weight = weight
        self.supports_masking = True

    def call(self, x: Tensor) -> Tensor:
        @custom_gradient
        def reverse(x: Tensor) -> tuple:
            return ops.copy(x), lambda gradient: -self.weight * gradient

        return reverse(x)

    def compute_output_shape(self, x_shape: Shape) -> tuple:
        return x_shape
