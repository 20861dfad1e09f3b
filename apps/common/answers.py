"""Calls to the signatures of an export, with Python values in and NumPy arrays out."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from apps.common.errors import UserError


def call(signature: Callable[..., Mapping[str, tf.Tensor]], **inputs: Any) -> dict[str, np.ndarray]:
    """Call a signature: strings, numbers and arrays in, NumPy arrays out.

    Raises:
        UserError: If the signature has other inputs.
    """
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    try:
        answer = signature(**tensors)
    except TypeError:  # raised by TensorFlow
        raise UserError(
            f"this export has no signature of {', '.join(inputs)}; give the one without _ids in "
            "its name"
        ) from None
    return {name: tensor.numpy() for name, tensor in answer.items()}


def row(answer: Mapping[str, np.ndarray], index: int) -> dict[str, np.ndarray]:
    """Return the answer to one example of a batch."""
    return {name: values[index] for name, values in answer.items()}


def strings(values: Iterable[bytes]) -> list[str]:
    """Decode the byte strings of an answer.

    Example:
        >>> strings(np.array([b"a", b"dog"]))
        ['a', 'dog']
    """
    return [value.decode() for value in values]


def require(condition: tf.Tensor, message: str) -> contextlib.AbstractContextManager:
    """Check a condition in the graph of a signature before the block runs; XLA drops the check."""
    return tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(condition), [message])])
