"""Argument checks, whose errors name the layer, the argument and the value.

Checks of tensors read static shapes and dtypes alone, so they add nothing to a graph; unknown sizes
pass.
"""

import numbers
from collections.abc import Collection
from typing import Any

import keras
from keras import ops

from seqkit.typing import Mask, Nest, Shape, Tensor


def invalid(owner: object, message: str) -> ValueError:
    """Return a ValueError of one line that starts with the owner: its class, or its name if a str.

    Keras would add a page with all arguments of `call` to it; the attribute keeps the line alone.

    Example:
        >>> invalid([], "it is empty")
        ValueError('list: it is empty')
    """
    name = owner if isinstance(owner, str) else type(owner).__name__
    error = ValueError(f"{name}: {message}")
    error._keras_call_info_injected = True
    return error


def one_of(name: str, value: Any, choices: Collection[Any], owner: object) -> Any:
    """Return the value if it is one of the choices.

    Args:
        name: Name of the argument.
        value: Its value.
        choices: The valid values.
        owner: Object whose argument it is.

    Raises:
        ValueError: If it is another.
    """
    if value not in choices:
        raise ValueError(
            f"{type(owner).__name__}: {name} is {value!r}; it must be one of {[*choices]}"
        )
    return value


def positive(name: str, value: int, owner: object) -> int:
    """Return the value as an int of Python if it is a positive integer, of Python or NumPy.

    Args:
        name: Name of the argument.
        value: Its value.
        owner: The layer that has the argument; the error names its class.

    Raises:
        ValueError: If the value is not a positive integer; bools are none.

    Example:
        >>> positive("units", 0, [])
        Traceback (most recent call last):
        ValueError: list: units is 0; it must be a positive int
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value <= 0:
        raise invalid(owner, f"{name} is {value!r}; it must be a positive int")
    return int(value)


def is_shape(x: Nest) -> bool:
    """Return whether x is one shape, not a nest of them."""
    return isinstance(x, (list, tuple)) and not isinstance(x[0], (list, tuple))


def static_shape(x: Tensor | Shape) -> Shape | None:
    """Return the shape of a tensor, or a shape, with None for unknown sizes; None: unknown rank."""
    shape = getattr(x, "shape", x)
    if getattr(shape, "rank", 0) is None:  # a tf.TensorShape
        return None
    return tuple(size if isinstance(size, int) else None for size in shape)


def batch_of(x: Tensor | Shape) -> int | None:
    """Return the static number of rows of a tensor; None: unknown."""
    shape = static_shape(x)
    return shape[0] if shape else None


def check_shape(
    name: str, x: Tensor | Shape, axes: dict[str, int | None], owner: object, remedy: str = ""
) -> None:
    """Raise a ValueError if a tensor doesn't have these axes, or holds text.

    Args:
        name: Name of the argument.
        x: The tensor, or its shape.
        axes: Names of the axes in their order, with their sizes; None: any size.
        owner: The layer that has the argument; the error names its class.
        remedy: End of the error.

    Example:
        >>> check_shape("mask", (4, 5), {"batch": 4, "time": 6}, [])
        Traceback (most recent call last):
        ValueError: list: the shape of mask is (4, 5); it must be (batch, time) = (4, 6)
    """
    check_numbers(name, x, owner)
    shape = static_shape(x)
    if shape is None:
        return
    wanted = tuple(axes.values())
    if len(shape) == len(wanted) and all(
        size is None or n is None or size == n for size, n in zip(shape, wanted, strict=True)
    ):
        return
    named = f"({', '.join(axes)})"
    if any(n is not None for n in wanted):
        named += f" = {wanted}"
    raise invalid(owner, f"the shape of {name} is {shape}; it must be {named}{remedy}")


def check_sequence(
    name: str, x: Tensor | Shape, owner: object, features: int | None = None
) -> None:
    """Raise a ValueError if x is not (batch, time, features...), with a known last dimension.

    Args:
        name: Name of the argument.
        x: The tensor, or its shape.
        owner: The layer that has the argument; the error names its class.
        features: The last dimension that the layer was built for; None: any.

    Example:
        >>> check_sequence("sequences", (32, 10), [])
        Traceback (most recent call last):
        ValueError: list: the shape of sequences is (32, 10); it must be (batch, time, features),
        e.g. from Embedding, or from LSTM(return_sequences=True)
    """
    shape = static_shape(x)
    if shape is None:
        return
    if len(shape) < 3:
        raise invalid(
            owner,
            f"the shape of {name} is {shape}; it must be (batch, time, features), e.g. from "
            "Embedding, or from LSTM(return_sequences=True)",
        )
    check_known(name, shape, owner)
    check_features(name, shape, features, owner)
    check_numbers(name, x, owner)


def check_known(name: str, x: Tensor | Shape, owner: object) -> None:
    """Raise a ValueError if the last dimension, the number of features, is unknown."""
    shape = static_shape(x)
    if shape is None or shape[-1] is None:
        raise invalid(
            owner,
            f"the shape of {name} is {shape}; the last dimension must be known, e.g. from "
            "keras.Input((None, features))",
        )


def check_features(name: str, x: Tensor | Shape, size: int | None, owner: object) -> None:
    """Raise a ValueError if the last dimension is not the one that the layer was built for."""
    shape = static_shape(x)
    if shape and None not in (size, shape[-1]) and shape[-1] != size:
        raise invalid(
            owner,
            f"the shape of {name} is {shape}; the layer was built for a last dimension of {size}",
        )


def check_numbers(name: str, x: Tensor | Shape, owner: object) -> None:
    """Raise a ValueError if x is a tensor or an array of text, or is ragged."""
    if hasattr(x, "row_splits"):  # a tf.RaggedTensor
        raise invalid(
            owner,
            f"{name} is a RaggedTensor; pad it with {name}.to_tensor(), and pass a mask, e.g. "
            f"tf.sequence_mask({name}.row_lengths())",
        )
    dtype = getattr(x, "dtype", None)
    if str(getattr(dtype, "name", dtype)).startswith(("str", "bytes", "object")):
        raise invalid(
            owner,
            f"the values of {name} are text; they must be numbers, e.g. from "
            "keras.layers.StringLookup and Embedding",
        )


def as_mask(name: str, mask: Mask, x: Tensor, owner: object) -> Mask:
    """Return a mask of the first two axes of x as bool; None stays None.

    Raises:
        ValueError: If its shape is not (batch, time).

    Example:
        >>> import numpy as np
        >>> as_mask("mask", np.ones((4, 6, 1)), np.zeros((4, 6, 3)), [])
        Traceback (most recent call last):
        ValueError: list: the shape of mask is (4, 6, 1); it must be (batch, time) = (4, 6)
    """
    if mask is None:
        return None
    check_numbers(name, mask, owner)
    mask = ops.cast(mask, "bool")
    shape = static_shape(x)
    if shape is not None:
        check_shape(name, mask, {"batch": shape[0], "time": shape[1]}, owner)
    return mask


def check_recurrent(name: str, layer: keras.layers.Layer, owner: object) -> None:
    """Raise a ValueError if this is not a layer that runs a cell over time."""
    if isinstance(layer, type) or not all(
        hasattr(layer, name) for name in ("return_sequences", "go_backwards", "state_size")
    ):
        raise invalid(
            owner,
            f"{name} is {layer!r}; it must be a recurrent layer, such as "
            "seqkit.RNN(cell, return_sequences=True) or keras.layers.LSTM(units)",
        )
