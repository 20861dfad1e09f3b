"""Pure functions of masks: True marks a real step, on whichever side the padding lies."""

import numbers

import keras
from keras import ops

from seqkit.backend import is_concrete
from seqkit.checks import invalid
from seqkit.operation import operation
from seqkit.shapes import shapes
from seqkit.typing import Mask, Tensor


@shapes(lengths="batch")
def mask_from_lengths(lengths: Tensor, max_length: int) -> Tensor:
    """Build a mask with the real steps first and the padding after them.

    Args:
        lengths: (batch,) ints, the number of real steps of each row.
        max_length: Number of steps of the padded batch.

    Returns:
        (batch, max_length) bool.

    Raises:
        ValueError: If the lengths are not ints or, outside of graphs, one is negative.

    Example:
        >>> import keras
        >>> from seqkit.masking import mask_from_lengths
        >>> print(keras.ops.convert_to_numpy(mask_from_lengths([2, 0], 3)).astype(int))
        [[1 1 0]
         [0 0 0]]
    """
    lengths = ops.convert_to_tensor(lengths)
    dtype = keras.backend.standardize_dtype(lengths.dtype)
    if tuple(lengths.shape) == (0,):  # an empty list becomes floats
        lengths = ops.cast(lengths, "int32")
    elif "int" not in dtype:
        raise invalid("mask_from_lengths", f"lengths are {dtype}; they must be ints, 0 or more")
    elif is_concrete(lengths) and (smallest := int(ops.min(lengths))) < 0:
        raise invalid("mask_from_lengths", f"lengths contain {smallest}; they must be 0 or more")
    return ops.arange(max_length, dtype=lengths.dtype)[None, :] < lengths[:, None]


@shapes(mask="batch time")
def lengths_from_mask(mask: Tensor) -> Tensor:
    """Count the real steps of each row: (batch, time) bool -> (batch,) int32."""
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def causal_mask(length: int) -> Tensor:
    """Build a (length, length) mask whose row t is True in columns 0 to t.

    Raises:
        ValueError: If length is not an int >= 0.
    """
    if not isinstance(length, numbers.Integral) or length < 0:
        raise invalid("causal_mask", f"length is {length!r}; it must be an int, 0 or more")
    t = ops.arange(length)
    return t[:, None] >= t[None, :]


@operation
@shapes(sequences="batch time ...", mask="batch time")
def reverse(sequences: Tensor, mask: Mask = None) -> Tensor:
    """Reverse the order of the real steps; the padding stays in place, so the mask still fits.

    Args:
        sequences: (batch, time, ...).
        mask: (batch, time) bool; padding may lie left, right, in gaps, or fill a row. None: all
            steps are real.

    Returns:
        (batch, time, ...).

    Example:
        >>> import keras, numpy as np
        >>> from seqkit.masking import reverse
        >>> x, mask = np.array([[1, 2, 0, 3]]), np.array([[True, True, False, True]])
        >>> print(keras.ops.convert_to_numpy(reverse(x, mask)))
        [[3 2 0 1]]
    """
    sequences = ops.convert_to_tensor(sequences)
    if mask is None:
        return ops.flip(sequences, axis=1)
    mask = ops.cast(mask, "bool")
    time = ops.shape(mask)[1]
    t = ops.arange(time, dtype="int32")[None, :]
    # real[k]: position of the k-th real step; the padding is sorted after the real steps.
    real = ops.cast(ops.argsort(ops.where(mask, t, t + time), axis=1), "int32")
    rank = ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1
    mirrored = ops.maximum(lengths_from_mask(mask)[:, None] - 1 - rank, 0)
    source = ops.where(mask, ops.take_along_axis(real, mirrored, axis=1), t)
    source = ops.reshape(source, ops.shape(source) + (1,) * (len(sequences.shape) - 2))
    return ops.take_along_axis(sequences, source, axis=1)
