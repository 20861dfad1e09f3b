"""The most probable sequences of tags."""

import numbers

import keras
import numpy as np
from keras import ops

from seqkit.backend import is_concrete, scan
from seqkit.checks import invalid
from seqkit.crf.inference import Message, after_each_step, center, log_probability, step_offsets
from seqkit.crf.potentials import IMPOSSIBLE, check_potentials
from seqkit.operation import operation
from seqkit.ops import largest, time_first
from seqkit.typing import Size, Tensor


@operation
def viterbi(potentials: Tensor) -> tuple[Tensor, Tensor]:
    """Find the most probable tags and their log-probability.

    In TensorFlow's eager mode each step runs by itself, which is slow for long sequences: call it
    in a `tf.function`, or as part of a model with `predict`.

    Args:
        potentials: P (batch, time, tags, tags), as `CRF` returns it.

    Returns:
        Tags (batch, time) int32, where a masked step repeats the step before it (0 before the
        first), and log p(y | x) (batch,).

    Raises:
        ValueError: If the potentials have another shape or are not floats.

    Example:
        >>> import keras
        >>> from seqkit import CRF, viterbi
        >>> scores = keras.Input((None, 3))
        >>> tags, log_p = viterbi(CRF(3)(scores))
        >>> keras.Model(scores, tags).output_shape  # it can be saved and exported
        (None, None)
    """
    tags, log_p = n_best(check_potentials(potentials, "viterbi"), 1)
    return tags[:, 0], log_p[:, 0]


@operation
def n_best(potentials: Tensor, n: Size) -> tuple[Tensor, Tensor]:
    """Find the n most probable tag sequences, the best first.

    Args:
        potentials: P (batch, time, tags, tags), as `CRF` returns it.
        n: Number of sequences, > 0.

    Returns:
        Tags (batch, n, time) int32, and log p(y | x) (batch, n), which is -1e9 where fewer than n
        sequences are possible.

    Raises:
        ValueError: If the potentials have another shape or are not floats, or n is not positive.

    Source:
        List Viterbi, Seshadri and Sundberg 1994.
    """
    potentials = check_potentials(potentials, "n_best")
    n = _check_number(n)
    p, offsets = time_first(potentials), step_offsets(potentials)
    batch, _, count, _ = ops.shape(potentials)

    def step(state: tuple, now: tuple) -> tuple:
        """Go back one step, with the n best paths from each tag to the end."""
        message, delta, _ = state  # delta[b, i, k]: score of the k-th path, less that of the best
        p = center(*now)
        paths = p[..., None] + delta[:, None]  # (batch, from, to, k)
        delta, source = _top(ops.reshape(paths, (batch, count, count * n)), n)
        delta = delta - largest(delta[..., 0], axis=1)[:, None, None]
        message = message.step_back(p)
        return (message, delta, source), (message.b, source)

    shape = batch, count, n
    delta = ops.broadcast_to(ops.where(ops.arange(n) == 0, 0.0, IMPOSSIBLE), shape)
    last = Message.last(potentials)
    initial = last, delta, ops.zeros(shape, "int32")
    (_, delta, _), (b, sources) = scan(step, initial, (p, offsets), reverse=True)

    def follow(at: Tensor, source: Tensor) -> tuple:  # at = tag * n + k: (batch, n)
        at = ops.take_along_axis(ops.reshape(source, (batch, count * n)), at, axis=1)
        return at, at

    start = ops.broadcast_to(ops.arange(n, dtype="int32"), (batch, n))  # all start in tag 0
    _, path = scan(follow, start, sources)
    tags = path // n
    best = ops.pad(tags[..., 0], ((1, 0), (0, 0)))
    log_p = log_probability(best, p, offsets, after_each_step(b, last.b))
    behind = delta[:, 0] - delta[:, 0, :1]
    log_p = ops.where(behind < IMPOSSIBLE / 2, IMPOSSIBLE, log_p[:, None] + behind)
    return ops.transpose(tags, (1, 2, 0)), log_p


def _top(x: Tensor, n: Size) -> tuple[Tensor, Tensor]:
    """Find the n largest values of the last axis, and where they are."""
    if not isinstance(n, int) or n > 1:
        best, index = ops.top_k(x, n)
        return best, ops.cast(index, "int32")
    # Several times faster than `top_k` and `argmax` on a CPU.
    best = largest(x, axis=-1, keepdims=True)
    places = ops.arange(x.shape[-1], dtype="int32")
    return best, largest(ops.where(x == best, places, 0), axis=-1, keepdims=True, lowest=0)


def _check_number(n: Size) -> Size:
    """Return n as an int, or as it is if it is a scalar tensor of ints."""
    n = n.item() if isinstance(n, np.ndarray) and n.shape == () else n
    if isinstance(n, numbers.Integral) and not isinstance(n, bool) and n > 0:
        return int(n)
    is_tensor = (
        ops.is_tensor(n) and n.shape == () and "int" in keras.backend.standardize_dtype(n.dtype)
    )
    if not is_tensor or (is_concrete(n) and int(n) <= 0):
        raise invalid("n_best", f"n is {n!r}; it must be a positive int")
    return n
