"""Log-likelihoods of given sequences."""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from seqkit.backend import scan
from seqkit.decoding import rows
from seqkit.decoding.checks import check_log_probs, check_tokens, checked, likelihoods
from seqkit.decoding.generate import Step
from seqkit.decoding.lengths import Length
from seqkit.ops import where_rows
from seqkit.typing import Mask, Nest, Tensor


class Scored(NamedTuple):
    """Log-likelihoods of given sequences."""

    log_probabilities: Tensor  # (batch, time) float32, of each token; 0 where masked
    log_likelihoods: Tensor  # (batch,) float32, their sum
    attention: Tensor | None  # (batch, time, source) float32, zeros where masked


def score(
    step: Step,
    tokens: Tensor,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    mask: Mask = None,
    length: Length | None = None,
    attention: Callable[[Nest], Tensor] | None = None,
) -> Scored:
    """Compute the log-likelihood of given sequences.

        log p(y) = sum_t log p(y_t | y_1 ... y_{t-1}) + log p(length)

    Args:
        step: As for `greedy`.
        tokens: (batch, time) int32.
        state: As for `greedy`.
        constants: As for `greedy`.
        bos_id: As for `greedy`.
        mask: (batch, time) bool, True = real.
        length: Length model: each token includes the log-probability of continuing or stopping
            after it. A sequence that is impossible under `length`, such as one without its end
            symbol, gets -inf. None: the tokens alone, which is the same if all end with the end
            symbol.
        attention: As for `greedy`.

    Returns:
        `Scored`. It is differentiable: its negative is the teacher-forcing loss. A token outside of
        the vocabulary has log-probability NaN. In a graph, where `step` can't raise its error, the
        log-likelihood is NaN if the log-probability of a step is positive.

    Raises:
        ValueError: As for `greedy`, and if tokens or mask are not (batch, time).

    Masking:
        A masked step changes no state, wherever the padding is.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import score
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((1, 4))), state)
        >>> found = score(step, np.array([[2, 1, 3]]), np.zeros((1, 1)), bos_id=0)
        >>> np.exp(found.log_probabilities).tolist()
        [[0.25, 0.25, 0.25]]
    """
    state, constants = checked("score", step, state, constants, bos_id=bos_id, length=length)
    tokens = ops.convert_to_tensor(tokens)
    check_tokens(tokens, mask, state, "score")
    tokens = ops.cast(tokens, "int32")
    real = ops.ones(ops.shape(tokens), "bool") if mask is None else ops.cast(mask, "bool")
    tokens = ops.where(real, tokens, bos_id)  # padding may hold anything
    position = ops.cumsum(ops.cast(real, "int32"), axis=1)  # from 1
    is_last = ops.logical_and(real, position == position[:, -1:])
    initial = (state, ops.full((ops.shape(tokens)[0],), bos_id, "int32"))

    def one_step(carry: tuple, now: tuple) -> tuple[tuple, list]:
        state, last = carry
        token, real, position, is_last = now
        log_p, new_state = step(last, state, constants)
        new_state = rows.check_same(state, new_state)
        log_p = log_p_of(token, check_log_probs(log_p, token, length))
        if length is not None:
            proceed, stop = length.log_probs(token[:, None], new_state, position[:, None] - 1)
            log_p = log_p + ops.where(is_last[:, None], stop, proceed)[:, 0]
        emitted = [ops.where(real, log_p, 0.0)]
        if attention is not None:
            weights = ops.cast(attention(new_state), "float32")
            emitted.append(ops.where(real[:, None], weights, 0.0))
        return where_rows(real, (new_state, token), carry), emitted

    per_step = tuple(ops.transpose(v) for v in (tokens, real, position, is_last))
    _, (log_p, *weights) = scan(one_step, initial, per_step)
    return Scored(
        log_probabilities=ops.transpose(log_p),
        log_likelihoods=likelihoods(log_p),
        attention=ops.transpose(weights[0], (1, 0, 2)) if weights else None,
    )


def log_p_of(tokens: Tensor, log_p: Tensor) -> Tensor:
    """Return the log-probabilities of tokens (rows,) from (rows, vocabulary); NaN if outside."""
    is_valid = ops.logical_and(tokens >= 0, tokens < log_p.shape[-1])
    found = ops.take_along_axis(log_p, ops.where(is_valid, tokens, 0)[:, None], axis=1)
    return ops.where(is_valid, found[:, 0], float("nan"))
