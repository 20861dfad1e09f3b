"""What the score of a hypothesis adds to its log-probability (Wu et al. 2016, 7)."""

from collections.abc import Callable

from keras import ops

from seqkit.typing import Tensor

SEEN_AT_LEAST = 1e-10  # of a source word, lest one never looked at make a score of -inf


def wu_penalty(alpha: float) -> Callable[[Tensor], Tensor]:
    """The length penalty lp(n) = ((5 + n) / 6)^alpha, by which a log-probability is divided.

    Raises:
        ValueError: if alpha is negative: longer chains would be punished twice.

    Source:
        Wu et al. 2016, eq. 14.

    Example:
        >>> wu_penalty(0.5)(19.0)
        2.0
    """
    if alpha < 0:
        raise ValueError(f"alpha is {alpha}; a length penalty wants alpha >= 0")
    return lambda lengths: ((5.0 + lengths) / 6.0) ** alpha


def per_token(lengths: Tensor) -> Tensor:
    """The length penalty lp(n) = n: the mean log-probability of a token."""
    return lengths


def coverage_penalty(coverage: Tensor, source_mask: Tensor | None = None) -> Tensor:
    """sum_i log(min(sum_t a_ti, 1)): 0 where all of the source was looked at, else less.

    Args:
        coverage: sum_t a_ti (rows, source), attention summed over the steps of decoding.
        source_mask: (rows, source) bool, True = real.

    Returns:
        (rows,) float32.

    Source:
        Wu et al. 2016, eq. 15.

    Deviations:
        a sum is taken for 1e-10 at least.
    """
    logs = ops.log(ops.clip(coverage, SEEN_AT_LEAST, 1.0))
    if source_mask is not None:
        logs = ops.where(source_mask, logs, 0.0)
    return ops.sum(logs, axis=-1)


def ban_repeats(log_probabilities: Tensor, history: Tensor, t: Tensor, n: int) -> Tensor:
    """-inf for each token that would repeat a run of n tokens.

    Args:
        log_probabilities: (rows, vocabulary) of the next token.
        history: (rows, max_length) int32, of which the first t hold what was chosen.
        t: how many tokens there are.
        n: the length of a run, > 0; 1: no token twice.
    """
    windows = history.shape[1] - n + 1  # runs that begin at 0, 1, ...
    if windows <= 0:
        return log_probabilities
    repeats = ops.arange(windows) + n - 1 < t  # those that lie wholly in what was chosen
    repeats = ops.broadcast_to(repeats, ops.shape(history[:, :windows]))
    for j in range(n - 1):  # and begin as the chain now ends
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
