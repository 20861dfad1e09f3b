"""Values of signatures: checks of inputs, errors of TensorFlow in one line, texts of specs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf


def as_tensor(value: Any, spec: tf.TensorSpec, where: str) -> tf.Tensor:
    """Convert a value to a tensor of a spec.

    Args:
        value: Array, list or number; strings as str or bytes.
        spec: Type and shape; `None` dimensions are free.
        where: Beginning of the message, such as "signature 'words', example 0, input 'words'".

    Raises:
        ValueError: If the value has another type or shape, or its rows differ in length.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{where}: its rows differ in length; pad them") from None
    # Without this check TensorFlow would silently turn 1.9 into 1.
    numeric = spec.dtype != tf.string
    if numeric and not np.can_cast(array.dtype, spec.dtype.as_numpy_dtype, "same_kind"):
        raise ValueError(f"{where}: {array.dtype}, not {spec.dtype.name}")
    try:
        tensor = tf.convert_to_tensor(value, spec.dtype)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where}: {array.dtype}, not {spec.dtype.name}") from None
    if not spec.shape.is_compatible_with(tensor.shape):
        raise ValueError(f"{where}: shape {tensor.shape} does not fit {shape_text(spec)}")
    if spec.dtype.is_integer and not np.array_equal(tensor.numpy(), array):
        raise ValueError(f"{where}: out of the range of {spec.dtype.name}")
    return tensor


def call(
    function: Callable[..., Mapping[str, tf.Tensor]], inputs: Mapping[str, tf.Tensor], where: str
) -> Mapping[str, tf.Tensor]:
    """Call a function of a signature.

    Raises:
        ValueError: If TensorFlow fails; one line instead of its long message.
    """
    try:
        return function(**inputs)
    except tf.errors.OpError as error:
        raise ValueError(f"{where}: {type(error).__name__}: {_reason(error)}") from error


def shape_text(spec: tf.TensorSpec) -> str:
    """Format the shape of a spec; `?` means any size.

    Example:
        >>> shape_text(tf.TensorSpec([None, 3]))
        '(?, 3)'
    """
    if spec.shape.rank is None:
        return "any"
    return "(" + ", ".join("?" if d is None else str(d) for d in spec.shape) + ")"


def _reason(error: tf.errors.OpError) -> str:
    """Return the last line of TensorFlow's long message, which states the cause."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if not line.startswith("[[")), "")
