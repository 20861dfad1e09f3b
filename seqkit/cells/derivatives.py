"""Derivatives of activations as functions of their outputs, which a loop keeps for backprop."""

import keras
from keras import ops

from seqkit.typing import Activation, Tensor

_DERIVATIVES = {
    keras.activations.tanh: lambda y: 1 - ops.square(y),
    keras.activations.sigmoid: lambda y: y * (1 - y),
    keras.activations.linear: ops.ones_like,
    keras.activations.relu: lambda y: ops.cast(y > 0, y.dtype),
}
KNOWN = [activation.__name__ for activation in _DERIVATIVES]


def unknown(**activations: Activation) -> list[str]:
    """Return the arguments whose activation has no derivative here, as in "activation=gelu"."""
    return [
        f"{name}={getattr(activation, '__name__', activation)}"
        for name, activation in activations.items()
        if activation not in _DERIVATIVES
    ]


def derivative(activation: keras.layers.Layer, y: Tensor) -> Tensor:
    """Compute the derivative where the activation's value is y.

    Example:
        >>> float(derivative(keras.activations.sigmoid, ops.convert_to_tensor(0.5)))
        0.25
    """
    return _DERIVATIVES[activation](y)
