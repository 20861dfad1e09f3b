"""Log-potentials of a linear chain, and what is read from them."""

import keras
from keras import ops

from seqkit.backend import custom_gradient
from seqkit.checks import invalid
from seqkit.crf.checks import IMPOSSIBLE, check_mask, check_scores, check_weight
from seqkit.operation import operation
from seqkit.ops import largest, sum_leading
from seqkit.typing import Mask, Tensor

# To change the tag at a masked step: below the sum of a score, a transition, a start and an end.
MASKED = 4 * IMPOSSIBLE
LARGE = 32.0  # scores up to here can be added without losing digits that matter


@operation
def log_potentials(
    scores: Tensor,
    mask: Mask = None,
    transitions: Tensor = 0.0,
    start: Tensor = 0.0,
    end: Tensor = 0.0,
) -> Tensor:
    """Compute the log-potentials P of a linear chain; from scores alone, of independent steps.

    If the largest score of a step lies outside of [-32, 32], it is subtracted from the step's
    scores, so that float32 keeps their digits. No probability depends on it; `log_partition` and
    `path_score` are those of the scores that are left.

    Args:
        scores: (batch, time, tags).
        mask: (batch, time) bool, True = real.
        transitions: A (tags, tags), or one number for all.
        start: Scores (tags,) of starting in each tag, or one number for all.
        end: Scores (tags,) of ending in each tag, or one number for all.

    Returns:
        (batch, time, tags, tags) float32.

    Raises:
        ValueError: If an argument has another shape.
    """
    scores = check_scores(scores, "log_potentials")
    tags = scores.shape[-1]
    transitions, start, end = (
        check_weight(name, x, rank, tags)
        for name, x, rank in (
            ("transitions", transitions, 2),
            ("start", start, 1),
            ("end", end, 1),
        )
    )
    shape = ops.shape(scores)[:2]
    real = ops.ones(shape, "bool") if mask is None else check_mask(mask, scores, "log_potentials")
    scores = ops.where(real[..., None], _finite(scores), 0.0)  # padding may hold anything
    if tags > 1:  # with one tag it could become 0: the identity, as at a masked step
        scores = scores - _shift(scores)
    count = ops.cumsum(ops.cast(real, "int32"), axis=1)
    is_first = (count == 1)[..., None, None]
    is_last = (count == count[:, -1:])[..., None]  # and the padding after it

    # Every path comes from tag 0, whose row the first step reads; the other rows don't matter.
    start = ops.broadcast_to(_finite(start), (tags, tags))
    into = _into(is_first, start, ops.broadcast_to(_finite(transitions), (tags, tags)))
    scores = scores + ops.where(is_last, _finite(end), 0.0)
    return ops.where(real[..., None, None], into + scores[:, :, None, :], _identity(tags))


def check_potentials(potentials: Tensor, function: str) -> Tensor:
    """Return log-potentials as float32.

    Raises:
        ValueError: If they are not (batch, time, tags, tags) floats; it names the function.
    """
    potentials = ops.convert_to_tensor(potentials)
    shape = tuple(potentials.shape)
    remedy = "as CRF(tags) or log_potentials(scores, mask) returns them"
    if len(shape) != 4 or shape[2] != shape[3] or shape[2] is None:
        raise invalid(
            function,
            f"potentials have shape {shape}; they must be (batch, time, tags, tags), {remedy}",
        )
    dtype = keras.backend.standardize_dtype(potentials.dtype)
    if "float" not in dtype:
        raise invalid(function, f"potentials are {dtype}; they must be floats, {remedy}")
    return ops.cast(potentials, "float32")


def real_steps(potentials: Tensor) -> Tensor:
    """Return the mask (batch, time): a masked step is the identity, as its first row shows."""
    return ops.any(potentials[:, :, 0] != _identity(potentials.shape[-1])[0], axis=-1)


def in_tag_0(p: Tensor) -> Tensor:
    """Return the probabilities of the tags before the first step, (batch, tags): 1 for tag 0."""
    count = p.shape[-1]
    return ops.broadcast_to(ops.cast(ops.arange(count) == 0, p.dtype), (ops.shape(p)[1], count))


def _into(is_first: Tensor, start: Tensor, transitions: Tensor) -> Tensor:
    """Return `start` at first steps, otherwise `transitions`: (batch, time, tags, tags).

    The gradient is a sum over all steps, which is added up without losing digits.
    """

    @custom_gradient
    def select(is_first: Tensor, start: Tensor, transitions: Tensor) -> tuple:
        def total(gradient: Tensor) -> Tensor:
            return sum_leading(ops.sum(gradient, axis=0))

        is_start = is_first > 0
        return ops.where(is_start, start, transitions), lambda gradient: (
            ops.zeros_like(is_first),
            total(ops.where(is_start, gradient, 0.0)),
            total(ops.where(is_start, 0.0, gradient)),
        )

    # An argument: JAX can't export a gradient that reads variables of an outer function.
    return select(ops.cast(is_first, "float32"), start, transitions)


def _shift(scores: Tensor) -> Tensor:
    """Return the largest score of each step (batch, time, 1) if its size is > LARGE, otherwise 0.

    Less this, scores near the largest keep their digits when transitions are added.
    """
    best = ops.stop_gradient(largest(scores, axis=-1, keepdims=True))
    return ops.where(ops.abs(best) > LARGE, best, 0.0)


def _identity(count: int) -> Tensor:
    return ops.where(ops.eye(count, dtype="bool"), 0.0, MASKED)


def _finite(scores: Tensor) -> Tensor:
    """Return scores as float32, and -inf as IMPOSSIBLE; unlike a maximum, it keeps NaN."""
    scores = ops.cast(scores, "float32")
    return ops.where(scores < IMPOSSIBLE, IMPOSSIBLE, scores)
