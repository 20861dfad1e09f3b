"""What attention is made of: pure functions, one an equation.

A query q looks at keys k of a memory: scores say how well each fits, weights share 1 out among
them, and what is read is the values' weighted mean. Scores are (batch, queries, time).

Luong's general score s W h is `dot` with the keys W h, and his concat v tanh(W [s; h]) is
`additive` with W cut in two: what hangs on the memory alone is computed once a sentence, its keys.
"""

from keras import ops

from seqkit.ops import linear
from seqkit.typing import Tensor

IMPOSSIBLE = -1e9  # a score that leaves no weight, and makes no NaN


def additive(query: Tensor, keys: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """V . tanh(W_q s + W_k h + b)

    Args:
        query: W_q s (batch, queries, units).
        keys: W_k h (batch, time, units).
        v: (units,).
        bias: b (units,), or None.

    Returns:
        (batch, queries, time).

    Source:
        Bahdanau et al. 2015, A.1.2.
    """
    query = query if bias is None else query + bias
    hidden = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(keys, 1))
    return ops.squeeze(linear(hidden, v[:, None]), axis=-1)


def normalized(v: Tensor, g: Tensor) -> Tensor:
    """G v / |v|: v's length is a weight of its own. Source: Salimans and Kingma 2016, eq. 2."""
    return g * v * ops.rsqrt(ops.sum(ops.square(v)))


def dot(query: Tensor, keys: Tensor) -> Tensor:
    """S . h: (batch, queries, size) and (batch, time, size) -> (batch, queries, time).

    Source:
        Luong et al. 2015, eq. 8.
    """
    return ops.matmul(query, ops.transpose(keys, (0, 2, 1)))


def scaled_dot(query: Tensor, keys: Tensor) -> Tensor:
    """S . h / sqrt(size). Source: Vaswani et al. 2017, eq. 1."""
    return dot(query * keys.shape[-1] ** -0.5, keys)


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """The softmax over what is real, in float32 or more; exactly 0 elsewhere.

    Args:
        scores: (..., time) of any float type.
        mask: bool, to be broadcast against them, True = real. A row without any gets zeros.

    Returns:
        (..., time), float32 or float64.
    """
    scores = ops.where(mask, ops.cast(scores, _precise(scores)), IMPOSSIBLE)
    # A memory of a single place is no mistake, but Keras would warn of it.
    weights = 1 + 0 * scores if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
    return ops.where(mask, weights, ops.zeros((), weights.dtype))


def read(weights: Tensor, values: Tensor) -> Tensor:
    """sum_j a_j h_j: (batch, [queries,] time), (batch, time, size) -> (batch, [queries,] size)."""
    weights = ops.cast(weights, values.dtype)
    if len(weights.shape) == 3:
        return ops.matmul(weights, values)
    return ops.squeeze(ops.matmul(weights[:, None, :], values), axis=1)


def local_window(
    query: Tensor, mask: Tensor | None, W: Tensor, v: Tensor, reach: int
) -> tuple[Tensor, Tensor]:
    """Where a query expects what it looks for, and how far it looks around there.

        p = S sigmoid(v . tanh(W s))                                            (9)
        factor_j = exp(-(j - p)^2 / (2 sigma^2)),   sigma = D / 2               (10)

    Args:
        query: s (batch, queries, size).
        mask: (batch, time) bool. S counts real positions, and j numbers them from 0.
        W, v: (size, size) and (size,).
        reach: D, > 0.

    Returns:
        The factor (batch, queries, time), float32 or more, and whether j lies in [p - D, p + D].

    Source:
        Luong et al. 2015, 3.2.
    """
    where = ops.matmul(ops.tanh(ops.matmul(query, W)), v[:, None])  # (batch, queries, 1)
    where = ops.cast(where, _precise(where))
    count = ops.cumsum(ops.cast(mask, where.dtype), axis=1)[:, None, :]
    p = count[..., -1:] * ops.sigmoid(where)
    distance = (count - 1) - p
    return ops.exp(-ops.square(distance) / (2 * (reach / 2) ** 2)), ops.abs(distance) <= reach


def location_features(previous: Tensor, F: Tensor) -> Tensor:
    """F = F * a: filters over the weights of the step before.

    Args:
        previous: a (batch, time).
        F: (width, filters).

    Returns:
        (batch, time, filters).

    Source:
        Chorowski et al. 2015, eq. 8.
    """
    previous = ops.cast(previous, F.dtype)
    return ops.conv(previous[..., None], F[:, None, :], padding="same", data_format="channels_last")


def _precise(x: Tensor) -> str:
    return "float64" if x.dtype == "float64" else "float32"
