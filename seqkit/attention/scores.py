"""The equations of attention as pure functions.

Scores (batch, queries, time) rate how well each key of a memory fits a query, weights normalize
them to sum to 1, and the context is the weighted mean of the values.

Luong's general score s W h is `dot` with keys W h, and his concat v tanh(W [s; h]) is `additive`
with W split in two: the part that depends on the memory alone, its keys, is computed once per
sequence.
"""

from keras import ops

from seqkit.ops import linear
from seqkit.shapes import check_broadcast, shapes
from seqkit.typing import Mask, Tensor

IMPOSSIBLE = -1e9  # a score with weight 0 that causes no NaN


@shapes(query="batch queries units", keys="batch time units", v="units", bias="units")
def additive(query: Tensor, keys: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute additive scores.

        v . tanh(W_q s + W_k h + b)

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


@shapes(v="units", g="1 |")
def normalized(v: Tensor, g: Tensor) -> Tensor:
    """Compute g v / |v|, whose norm is the separate weight g.

    Source:
        Salimans and Kingma 2016, eq. 2.
    """
    return g * v * ops.rsqrt(ops.sum(ops.square(v)))


@shapes(query="batch queries size", keys="batch time size")
def dot(query: Tensor, keys: Tensor) -> Tensor:
    """Compute scores s . h: (batch, queries, size), (batch, time, size) -> (batch, queries, time).

    Source:
        Luong et al. 2015, eq. 8.
    """
    return ops.matmul(query, ops.transpose(keys, (0, 2, 1)))


@shapes(query="batch queries size", keys="batch time size")
def scaled_dot(query: Tensor, keys: Tensor) -> Tensor:
    """Compute scores s . h / sqrt(size), with shapes as in `dot`.

    Source:
        Vaswani et al. 2017, eq. 1.
    """
    return dot(query * keys.shape[-1] ** -0.5, keys)


@shapes(scores="... time")
def masked_softmax(scores: Tensor, mask: Mask) -> Tensor:
    """Compute the softmax over real positions, in float32 or more; exactly 0 elsewhere.

    Args:
        scores: (..., time), of any float dtype.
        mask: Bool, broadcast against the scores, True = real. A row without real positions gets
            zeros.

    Returns:
        (..., time), float32 or float64.
    """
    check_broadcast("mask", mask, scores, "masked_softmax")
    scores = ops.where(mask, ops.cast(scores, _precise(scores)), IMPOSSIBLE)
    # Keras warns about a softmax over one position, which is legitimate here.
    weights = 1 + 0 * scores if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
    return ops.where(mask, weights, ops.zeros((), weights.dtype))


@shapes(weights="batch queries time | batch time", values="batch time size")
def read(weights: Tensor, values: Tensor) -> Tensor:
    """Compute the context sum_j a_j h_j.

    Args:
        weights: a (batch, [queries,] time).
        values: h (batch, time, size).

    Returns:
        (batch, [queries,] size).
    """
    weights = ops.cast(weights, values.dtype)
    if len(weights.shape) == 3:
        return ops.matmul(weights, values)
    return ops.squeeze(ops.matmul(weights[:, None, :], values), axis=1)


@shapes(query="batch queries size", mask="batch time", W="size size", v="size")
def local_window(
    query: Tensor, mask: Mask, W: Tensor, v: Tensor, reach: int
) -> tuple[Tensor, Tensor]:
    """Compute a Gaussian window around the position that the query predicts (local-p).

        p = S σ(v . tanh(W s))                                                  (9)
        factor_j = exp(-(j - p)^2 / (2 sigma^2)),   sigma = D / 2               (10)

    Args:
        query: s (batch, queries, size).
        mask: (batch, time) bool; S is the number of real positions, and j numbers them from 0.
        W: (size, size).
        v: (size,).
        reach: D, > 0.

    Returns:
        The factor (batch, queries, time), float32 or more, and whether j is in [p - D, p + D].

    Source:
        Luong et al. 2015, 3.2.
    """
    position = ops.matmul(ops.tanh(ops.matmul(query, W)), v[:, None])  # (batch, queries, 1)
    position = ops.cast(position, _precise(position))
    count = ops.cumsum(ops.cast(mask, position.dtype), axis=1)[:, None, :]
    p = count[..., -1:] * ops.sigmoid(position)
    distance = (count - 1) - p
    return ops.exp(-ops.square(distance) / (2 * (reach / 2) ** 2)), ops.abs(distance) <= reach


@shapes(previous="batch time", F="width filters")
def location_features(previous: Tensor, F: Tensor) -> Tensor:
    """Compute f = F * a, a convolution of the previous weights.

    Args:
        previous: Weights a (batch, time).
        F: Filters (width, filters).

    Returns:
        (batch, time, filters).

    Source:
        Chorowski et al. 2015, eq. 8.
    """
    previous = ops.cast(previous, F.dtype)
    return ops.conv(previous[..., None], F[:, None, :], padding="same", data_format="channels_last")


def _precise(x: Tensor) -> str:
    return "float64" if x.dtype == "float64" else "float32"
