"""How likely given chains are."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqkit.backend import scan
from seqkit.decoding import rows
from seqkit.decoding.generate import Step
from seqkit.decoding.lengths import Length
from seqkit.typing import Nest, Tensor


class Scored(NamedTuple):
    """How likely given chains are."""

    log_probabilities: Tensor  # (batch, time) float32, of each token; 0 where masked
    log_likelihoods: Tensor  # (batch,) float32, their sum
    attention: Tensor  # (batch, time, source) float32, zeros where masked; None if not asked for


def score(
    step: Step,
    tokens: Tensor,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    mask: Tensor | None = None,
    length: Length | None = None,
    attention: Callable[[Any], Any] | None = None,
) -> Scored:
    """The log-likelihood of given chains.

        log p(y) = sum_t log p(y_t | y_1 ... y_{t-1}) + log p(length)

    Args:
        step, state, constants, bos_id, attention: as for `greedy`.
        tokens: (batch, time) int32.
        mask: (batch, time) bool, True = real.
        length: how a chain chooses its length; each token bears what going on behind it or ending
            there costs. A chain that `length` can't have is -inf: one without its end symbol.
            None: the tokens alone, which is the same where all end with the end symbol.

    Returns:
        `Scored`. Gradients pass: its negative is the loss of teacher forcing.

    Masking:
        a masked step changes no state, wherever the padding lies.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import score
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((1, 4))), state)
        >>> found = score(step, np.array([[2, 1, 3]]), np.zeros((1, 1)), bos_id=0)
        >>> np.exp(found.log_probabilities).tolist()
        [[0.25, 0.25, 0.25]]
    """
    tokens = ops.cast(tokens, "int32")
    real = ops.ones(ops.shape(tokens), "bool") if mask is None else ops.cast(mask, "bool")
    tokens = ops.where(real, tokens, bos_id)  # padding may hold anything
    position = ops.cumsum(ops.cast(real, "int32"), axis=1)  # from 1
    is_last = ops.logical_and(real, position == position[:, -1:])
    first = {"state": rows.tensors(state), "last": ops.full_like(tokens[:, 0], bos_id)}

    def one_step(before: dict, now: tuple) -> tuple[dict, tuple]:
        token, real, position, is_last = now
        log_p, state = step(before["last"], before["state"], constants)
        log_p = ops.take_along_axis(ops.cast(log_p, "float32"), token[:, None], axis=1)
        if length is not None:
            go_on, end = length.after(token[:, None], state, position[:, None] - 1)
            log_p = log_p + ops.where(is_last[:, None], end, go_on)
        found = [ops.where(real, log_p[:, 0], 0.0)]
        if attention is not None:
            found.append(ops.where(real[:, None], ops.cast(attention(state), "float32"), 0.0))
        after = {"state": rows.like(before["state"], state), "last": token}
        return rows.where(real, after, before), tuple(found)

    sequence = tuple(ops.transpose(v) for v in (tokens, real, position, is_last))
    _, found = scan(one_step, first, sequence)
    log_p = ops.transpose(found[0])
    weights = None if attention is None else ops.transpose(found[1], (1, 0, 2))
    return Scored(log_p, ops.sum(log_p, axis=1), weights)
