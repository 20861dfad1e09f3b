"""Drawing a token from log-probabilities, and what may be drawn."""

import keras
from keras import ops

from seqkit.typing import Seed, Tensor


def top_k_filter(log_probabilities: Tensor, k: int) -> Tensor:
    """The k most probable tokens as they are, the others -inf; what ties with the k-th stays, too.

    Args:
        log_probabilities: (..., vocabulary).
        k: how many, > 0; more than the vocabulary has is all of it.

    Raises:
        ValueError: if k is not positive.

    Example:
        >>> import numpy as np
        >>> np.isfinite(top_k_filter(np.log([0.2, 0.5, 0.3]), 2)).tolist()
        [False, True, True]
    """
    if k <= 0:
        raise ValueError(f"top_k is {k}; it must be at least 1")
    log_probabilities = ops.convert_to_tensor(log_probabilities)
    best = ops.top_k(log_probabilities, min(k, log_probabilities.shape[-1]))[0]
    return _keep(log_probabilities, log_probabilities >= best[..., -1:])


def top_p_filter(log_probabilities: Tensor, p: float) -> Tensor:
    """The nucleus as it is, the others -inf: the fewest tokens that hold p of the probability.

    Args:
        log_probabilities: (..., vocabulary), up to a constant.
        p: in (0, 1]; the most probable token always stays, and so does what ties with the last.

    Raises:
        ValueError: if p is not in (0, 1].

    Source:
        Holtzman et al. 2020, eq. 2.

    Example:
        >>> import numpy as np
        >>> np.isfinite(top_p_filter(np.log([0.2, 0.5, 0.3]), 0.6)).tolist()
        [False, True, True]
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p is {p}; it must be in (0, 1]")
    probabilities = ops.softmax(log_probabilities, axis=-1)
    falling = -ops.sort(-probabilities, axis=-1)
    before = ops.cumsum(falling, axis=-1) - falling  # what more probable tokens hold
    last = ops.min(ops.where(before < p, falling, 1.0), axis=-1, keepdims=True)
    return _keep(log_probabilities, probabilities >= last)


def uniform(shape: tuple, seed: Seed) -> Tensor:
    """Numbers in [0, 1): seed is an int, a `keras.random.SeedGenerator`, or two ints in a tensor.

    The tensor is for exports, where each request brings its own. Equal seeds give equal numbers on
    the same backend, with and without XLA each its own.
    """
    if not isinstance(seed, (int, keras.random.SeedGenerator)):
        seed = _GivenSeed(seed)
    return keras.random.uniform(shape, seed=seed)


def draw(log_probabilities: Tensor, uniform: Tensor) -> Tensor:
    """One token a row, by the inverse of the cumulative distribution.

    Args:
        log_probabilities: (rows, vocabulary), up to a constant a row.
        uniform: (rows,) in [0, 1).

    Returns:
        (rows,) int32, never a token of -inf.
    """
    p = ops.softmax(log_probabilities, axis=-1)
    # Rounding must neither pass the end nor hit a token that is impossible.
    cumulative = ops.where(p > 0, ops.cumsum(p, axis=-1), 0.0)
    at = (1 - uniform[:, None]) * ops.max(cumulative, axis=-1, keepdims=True)
    return ops.cast(ops.argmax(cumulative >= at, axis=-1), "int32")


class _GivenSeed(keras.random.SeedGenerator):
    """Hands a given seed to Keras's random operations, which take none as a tensor."""

    def __init__(self, pair: Tensor) -> None:  # and makes no variable
        self._pair = ops.cast(pair, "uint32")

    def next(self, ordered: bool = True) -> Tensor:
        return self._pair


def _keep(log_probabilities: Tensor, kept: Tensor) -> Tensor:
    return ops.where(kept, log_probabilities, -float("inf"))
