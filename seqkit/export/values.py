"""Values of signatures: checks of inputs, errors of TensorFlow in one line, texts of specs."""

import re
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
        is_list = spec.shape.rank == 1
        remedy = "give one list, not a list of lists" if is_list else f"pad them{_padding(spec)}"
        raise ValueError(f"{where}: its rows differ in length; {remedy}") from None
    # Without this check TensorFlow would silently turn 1.9 into 1.
    numeric = spec.dtype != tf.string
    if numeric and not np.can_cast(array.dtype, spec.dtype.as_numpy_dtype, "same_kind"):
        raise ValueError(f"{where}: {_got(array)}, not {spec.dtype.name}")
    try:
        tensor = tf.convert_to_tensor(value, spec.dtype)
    except (TypeError, ValueError, OverflowError):
        remedy = "" if numeric else "; give a string or a list of strings"
        raise ValueError(f"{where}: {_got(array)}, not {spec.dtype.name}{remedy}") from None
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
        raise ValueError(f"{where}: {_reason(error)}") from error


def shape_text(spec: tf.TensorSpec) -> str:
    """Format the shape of a spec; `?` means any size.

    Example:
        >>> shape_text(tf.TensorSpec([None, 3]))
        '(?, 3)'
    """
    if spec.shape.rank is None:
        return "any"
    return "(" + ", ".join("?" if d is None else str(d) for d in spec.shape) + ")"


def _got(array: np.ndarray) -> str:
    """Describe values of a wrong type.

    Example:
        >>> _got(np.asarray(None)), _got(np.asarray(["a", None])), _got(np.asarray([1.5]))
        ('None', 'contains None', 'float64')
    """
    if array.dtype.kind == "U":
        has_surrogates = any("\ud800" <= c <= "\udfff" for text in array.flat for c in text)
        return "text with a lone surrogate" if has_surrogates else "text"
    if array.dtype != object:
        return array.dtype.name
    if array.ndim == 0:
        return "None" if array.item() is None else f"a {type(array.item()).__name__}"
    wrong = next((item for item in array.flat if not isinstance(item, str | bytes)), "text")
    shown = repr(wrong)
    return f"contains {shown:.60}"


def _padding(spec: tf.TensorSpec) -> str:
    return (
        ' at the end with ""' if spec.dtype == tf.string else " at the end, as the card describes"
    )


def _reason(error: tf.errors.OpError) -> str:
    """Return the cause from TensorFlow's long message: its last line, or what an export asserts."""
    if asserted := re.search(r"assertion failed: \[(.+?)\]", error.message):
        return asserted[1]
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    cause = next((line for line in reversed(lines) if not line.startswith("[[")), "")
    return f"{type(error).__name__}: {cause}"
