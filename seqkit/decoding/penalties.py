"""Penalties in the score of a hypothesis (Wu et al. 2016, 7), and blocked n-grams."""

from collections.abc import Callable

from keras import ops

from seqkit.typing import Mask, Tensor

MIN_COVERAGE = 1e-10  # keeps log(0) out of the score


def wu_penalty(alpha: float) -> Callable[[Tensor], Tensor]:
    """Return the length penalty lp(n) = ((5 + n) / 6)^alpha, a divisor of log-probabilities.

    Raises:
        ValueError: If alpha is negative, which would penalize longer hypotheses twice.

    Source:
        Wu et al. 2016, eq. 14.

    Example:
        >>> wu_penalty(0.5)(19.0)
        2.0
    """
    if not alpha >= 0:
        raise ValueError(f"alpha is {alpha}; it must not be negative")
    return lambda lengths: ((5.0 + lengths) / 6.0) ** alpha


def per_token(lengths: Tensor) -> Tensor:
    """Return the length penalty lp(n) = n: scores are mean log-probabilities per token."""
    return lengths


def coverage_penalty(coverage: Tensor, source_mask: Mask = None) -> Tensor:
    """Compute a penalty that is 0 if all of the source was attended to, negative otherwise.

        sum_i log(min(sum_t a_ti, 1))

    Args:
        coverage: sum_t a_ti (rows, source), attention summed over the decoding steps.
        source_mask: (rows, source) bool, True = real.

    Returns:
        (rows,) float32.

    Source:
        Wu et al. 2016, eq. 15.

    Deviations:
        The coverage of a position is clipped to at least 1e-10.
    """
    logs = ops.log(ops.clip(coverage, MIN_COVERAGE, 1.0))
    if source_mask is not None:
        logs = ops.where(source_mask, logs, 0.0)
    return ops.sum(logs, axis=-1)


def ban_repeats(log_probabilities: Tensor, history: Tensor, t: Tensor, n: int) -> Tensor:
    """Set the log-probability of each token that would repeat an n-gram to -inf.

    Args:
        log_probabilities: (rows, vocabulary), of the next token.
        history: (rows, max_length) int32, whose first t entries hold the tokens so far.
        t: Number of tokens so far.
        n: Length of the n-grams, > 0; 1: no token occurs twice.
    """
    windows = history.shape[1] - n + 1  # n-grams that start at 0, 1, ...
    if windows <= 0:
        return log_probabilities
    repeats = ops.arange(windows) + n - 1 < t  # those within the tokens so far
    repeats = ops.broadcast_to(repeats, ops.shape(history[:, :windows]))
    for j in range(n - 1):  # whose first n - 1 tokens are the last n - 1 tokens
        now = ops.take(history, ops.maximum(t - (n - 1) + j, 0), axis=1)
        repeats = ops.logical_and(repeats, history[:, j : j + windows] == now[:, None])
    banned = history[:, n - 1 :]
    rows = ops.broadcast_to(ops.arange(ops.shape(history)[0])[:, None], ops.shape(banned))
    return ops.scatter_update(
        log_probabilities,
        ops.reshape(ops.stack([rows, banned], axis=-1), (-1, 2)),
        ops.reshape(ops.where(repeats, -float("inf"), float("inf")), (-1,)),
        reduction="min",
    )
