"""Drawing tokens from log-probabilities, and filters of what may be drawn."""

import keras
from keras import ops

from seqkit.checks import check_numbers, invalid, positive
from seqkit.typing import Seed, Tensor


def top_k_filter(log_probabilities: Tensor, k: int) -> Tensor:
    """Set all but the k most probable tokens to -inf.

    Tokens that tie with the k-th stay, too.

    Args:
        log_probabilities: (..., vocabulary).
        k: Number of tokens, > 0; from the vocabulary size on, all stay.

    Raises:
        ValueError: If k is not positive.

    Example:
        >>> import numpy as np
        >>> np.isfinite(top_k_filter(np.log([0.2, 0.5, 0.3]), 2)).tolist()
        [False, True, True]
    """
    check_numbers("log_probabilities", log_probabilities, "top_k_filter")
    k = positive("top_k", k, "top_k_filter")
    log_probabilities = ops.convert_to_tensor(log_probabilities)
    best = ops.top_k(log_probabilities, min(k, log_probabilities.shape[-1]))[0]
    return _keep(log_probabilities, log_probabilities >= best[..., -1:])


def top_p_filter(log_probabilities: Tensor, p: float) -> Tensor:
    """Set all tokens outside the nucleus to -inf: the fewest tokens with total probability >= p.

    Args:
        log_probabilities: (..., vocabulary), up to a constant.
        p: In (0, 1]; the most probable token always stays, and so do ties with the least probable
            token of the nucleus.

    Raises:
        ValueError: If p is not in (0, 1].

    Source:
        Holtzman et al. 2020, eq. 2.

    Example:
        >>> import numpy as np
        >>> np.isfinite(top_p_filter(np.log([0.2, 0.5, 0.3]), 0.6)).tolist()
        [False, True, True]
    """
    check_numbers("log_probabilities", log_probabilities, "top_p_filter")
    if not 0 < p <= 1:
        raise invalid("top_p_filter", f"top_p is {p}; it must be in (0, 1]")
    probabilities = ops.softmax(log_probabilities, axis=-1)
    falling = -ops.sort(-probabilities, axis=-1)
    before = ops.cumsum(falling, axis=-1) - falling  # mass of more probable tokens
    last = ops.min(ops.where(before < p, falling, 1.0), axis=-1, keepdims=True)
    return _keep(log_probabilities, probabilities >= last)


def uniform(shape: tuple, seed: Seed) -> Tensor:
    """Draw uniform numbers in [0, 1) from an int, a `SeedGenerator`, or a tensor of two ints.

    The tensor is for exports, whose requests contain a seed. Equal seeds give equal numbers on the
    same backend; XLA has its own numbers.
    """
    if not isinstance(seed, (int, keras.random.SeedGenerator)):
        seed = _GivenSeed(seed)
    return keras.random.uniform(shape, seed=seed)


def draw(log_probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token per row with the inverse of the cumulative distribution.

    Args:
        log_probabilities: (rows, vocabulary), up to a constant per row.
        uniform: (rows,), in [0, 1).

    Returns:
        (rows,) int32, never a token with log-probability -inf.
    """
    p = ops.softmax(log_probabilities, axis=-1)
    # Rounding must neither run past the end nor hit an impossible token.
    cumulative = ops.where(p > 0, ops.cumsum(p, axis=-1), 0.0)
    threshold = (1 - uniform[:, None]) * ops.max(cumulative, axis=-1, keepdims=True, initial=0.0)
    return ops.cast(ops.argmax(cumulative >= threshold, axis=-1), "int32")


class _GivenSeed(keras.random.SeedGenerator):
    """A given seed tensor for Keras's random operations, which only accept generators."""

    def __init__(self, pair: Tensor) -> None:  # creates no variable
        self._pair = ops.cast(pair, "uint32")

    def next(self, ordered: bool = True) -> Tensor:
        return self._pair


def _keep(log_probabilities: Tensor, kept: Tensor) -> Tensor:
    return ops.where(kept, log_probabilities, -float("inf"))
