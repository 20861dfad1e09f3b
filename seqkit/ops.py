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


def largest(x: Tensor, axis: int, keepdims: bool = False, lowest: float = -np.inf) -> Tensor:
    """Compute the maximum over an axis; unlike `ops.max`, also of empty batches, in eager mode."""
    initial = lowest if 0 in x.shape else None
    return ops.max(x, axis=axis, keepdims=keepdims, initial=initial)


def sum_leading(x: Tensor) -> Tensor:
    """Sum over the leading axis in blocks of blocks: the longer, the more digits this saves.

    Added up one after the other, thousands of float32 values would lose several.
    """
    block = 32
    for _ in range(2):
        count = ops.shape(x)[0] // block
        blocks = ops.reshape(x[: count * block], (count, block, *ops.shape(x)[1:]))
        x = ops.concatenate([ops.sum(blocks, axis=1), x[count * block :]], axis=0)
    return ops.sum(x, axis=0)


def precise_dtype(layer: keras.layers.Layer) -> str:
    """Return float64 under a float64 policy, otherwise float32, for sums that need precision."""
    return "float64" if layer.compute_dtype == "float64" else "float32"


def compensated_add(total: Tensor, error: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Add x to a running total whose rounding error stays that of one addition.

    Args:
        total: The sum so far.
        error: What rounding has added to it so far, zeros at first.
        x: The next term.

    Returns:
        The new total and its error.

    Source:
        Kahan 1965.

    Example:
        >>> total = error = plain = ops.zeros(())
        >>> for _ in range(2000):
        ...     total, error = compensated_add(total, error, ops.cast(0.1, "float32"))
        ...     plain = plain + ops.cast(0.1, "float32")
        >>> abs(float(total) - 200) < 1e-4, abs(float(plain) - 200) < 1e-4
        (True, False)
    """
    x = x - error
    after = total + x
    error = (after - total) - x
    return after, ops.where(ops.isfinite(after), error, ops.zeros_like(error))


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
