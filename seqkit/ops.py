"""Small tensor operations that several layers share, on any backend."""

import keras
import numpy as np
from keras import ops, tree

from seqkit.typing import Mask, Nest, Tensor


def linear(x: Tensor, kernel: Tensor) -> Tensor:
    """Compute x W over the last axis, as one matrix product whatever the leading axes."""
    flat = ops.matmul(ops.reshape(x, (-1, kernel.shape[0])), kernel)
    return ops.reshape(flat, (*ops.shape(x)[:-1], kernel.shape[1]))


def apply_mask(x: Tensor, mask: Mask) -> Tensor:
    """Multiply by a dropout mask; None: no dropout."""
    return x if mask is None else x * mask


def time_first(x: Tensor) -> Tensor:
    """Swap the first two axes: (batch, time, ...) <-> (time, batch, ...)."""
    return ops.transpose(x, (1, 0, *range(2, len(x.shape))))


def precise_dtype(layer: keras.layers.Layer) -> str:
    """Return float64 under a float64 policy, otherwise float32, for sums that need precision."""
    return "float64" if layer.compute_dtype == "float64" else "float32"


def align(condition: Tensor, x: Tensor) -> Tensor:
    """Give a condition over the leading axes of x the axes it lacks, each of size 1."""
    return ops.reshape(
        condition, (*ops.shape(condition), *[1] * (len(x.shape) - len(condition.shape)))
    )


def where_rows(condition: Tensor, then: Nest, otherwise: Nest) -> Nest:
    """Select row by row between two nests of tensors (batch, ...): condition is (batch,) bool."""
    return tree.map_structure(lambda a, b: ops.where(align(condition, a), a, b), then, otherwise)


def to_numpy(x: Tensor) -> np.ndarray:
    """Convert a tensor or a variable to an array that NumPy can store: bfloat16 as float32.

    Example:
        >>> to_numpy(ops.ones(2, "bfloat16"))
        array([1., 1.], dtype=float32)
    """
    array = ops.convert_to_numpy(x)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
