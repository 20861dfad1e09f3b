"""The largest values of each row, found faster than by `ops.top_k` where rows are long."""

from keras import ops

from seqkit.ops import largest
from seqkit.typing import Tensor

LONG = 1024  # from here on, two short searches take less time than a long one
CHUNK = 25  # values


def top_k(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the k largest values of each row, the largest first, and the lower index first if tied.

    A value among the k largest is in one of the k chunks with the largest maxima (the lower chunk
    if tied): each of k other chunks would hold a value that comes before it.

    Args:
        values: (rows, n), n >= k.
        k: Number of values.

    Returns:
        Values (rows, k) and their indices (rows, k) int32: those of `ops.top_k`.
    """
    n = values.shape[-1]
    if n < LONG or n < 2 * k * CHUNK:
        return _top_k(values, k)
    chunks = _in_chunks(values)
    chosen = _top_k(largest(chunks, axis=-1), k)[1]
    chosen = ops.sort(chosen, axis=-1)  # in their order, for ties
    first = ops.arange(ops.shape(chosen)[0], dtype="int32")[:, None] * chunks.shape[1]
    candidates = ops.take(ops.reshape(chunks, (-1, CHUNK)), first + chosen, axis=0)
    best, index = _top_k(ops.reshape(candidates, (-1, k * CHUNK)), k)
    return best, ops.take_along_axis(chosen, index // CHUNK, axis=1) * CHUNK + index % CHUNK


def _in_chunks(values: Tensor) -> Tensor:
    """Reshape (rows, n) -> (rows, chunks, CHUNK); the last chunk is filled with -inf."""
    count = -(-values.shape[-1] // CHUNK)
    missing = count * CHUNK - values.shape[-1]
    if missing:
        values = ops.pad(values, ((0, 0), (0, missing)), constant_values=-float("inf"))
    return ops.reshape(values, (-1, count, CHUNK))


def _top_k(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    best, index = ops.top_k(values, k)
    return best, ops.cast(index, "int32")
