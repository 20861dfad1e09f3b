"""Additive attention, and two kinds of it that know where they have looked before."""

from typing import Any

import keras
from keras import ops

from seqkit.attention import scores
from seqkit.attention.attention import Attention, Memory
from seqkit.checks import positive
from seqkit.ops import linear
from seqkit.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class BahdanauAttention(Attention):
    """Additive attention: a small net says how well a query and a position fit.

        e_j = v . tanh(W_q s + W_k h_j)
        e_j = g v / |v| . tanh(W_q s + W_k h_j + b)         normalize
        a = softmax(e),   c = sum_j a_j h_j

    Args:
        units: size of v, > 0.
        normalize: the length of v is a weight of its own, g, that begins as sqrt(1 / units).
        kwargs: of `Attention`: return_weights.
    Call, Returns, Masking: as `Attention` says.

    Weights:
        query_kernel (W_q), key_kernel (W_k), v, and g and bias (b) if there.

    Raises:
        ValueError: if units is not positive.

    Source:
        Bahdanau et al. 2015, A.1.2; Salimans and Kingma 2016 (normalize).

    Deviations:
        none.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import BahdanauAttention
        >>> attention = BahdanauAttention(8, return_weights=True)
        >>> c, a = attention(np.zeros((2, 3)), np.zeros((2, 5, 4)))
        >>> tuple(c.shape), tuple(a.shape)
        ((2, 4), (2, 5))
    """

    def __init__(self, units: int, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = positive("units", units, self)
        self.normalize = normalize

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        self.add_weight(shape=(query_shape[-1], self.units), name="query_kernel")
        self.key_kernel = self.add_weight(shape=(memory_shape[-1], self.units), name="key_kernel")
        self.add_weight(shape=(self.units,), initializer="glorot_uniform", name="v")
        if self.normalize:
            length = keras.initializers.Constant(self.units**-0.5)
            self.add_weight(shape=(), initializer=length, name="g")
        if self.normalize or self.carries:
            self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def keys(self, memory: Tensor) -> Tensor:
        return linear(memory, ops.cast(self.key_kernel, memory.dtype))

    def look_back(self, previous: Tensor, parameters: dict) -> Tensor:
        """What of the steps before stands beside each key: (batch, time, units), or 0."""
        return 0

    def align(self, query: Tensor, memory: Memory, previous: Tensor, parameters: dict) -> Tensor:
        p = parameters
        v = scores.normalized(p["v"], p["g"]) if self.normalize else p["v"]
        keys = memory.keys + self.look_back(previous, p)
        e = scores.additive(linear(query, p["query_kernel"]), keys, v, p.get("bias"))
        return scores.masked_softmax(e, memory.mask[:, None, :])


@keras.saving.register_keras_serializable(package="seqkit")
class LocationAwareAttention(BahdanauAttention):
    """Additive attention that sees where it looked a step before: it may go on from there.

        f_t = F * a_{t-1}                                                       (8)
        e_j = v . tanh(W_q s + W_k h_j + U f_tj + b)                            (9)

    Args:
        units: size of v, > 0.
        filters: rows of f, > 0.   kernel_size: width of F in positions, > 0.
        kwargs: of `BahdanauAttention`: normalize, return_weights.
    Call, Returns, Masking: as `Attention` says; previous is a_{t-1}. A gap of padding in the middle
        of a memory counts as positions.

    Weights:
        those of `BahdanauAttention`, filters (F), and location_kernel (U).

    Raises:
        ValueError: if a size is not positive, or for a sequence of queries.

    Source:
        Chorowski et al. 2015, 2.1; filters and kernel_size are the paper's for speech.

    Deviations:
        before the first step a is 0.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import LocationAwareAttention
        >>> attention = LocationAwareAttention(8, filters=2, kernel_size=3)
        >>> tuple(attention(np.zeros((2, 3)), np.zeros((2, 5, 4)), previous=np.ones((2, 5)) / 5).shape)
        (2, 4)
    """

    carries = "weights"

    def __init__(
        self, units: int, filters: int = 10, kernel_size: int = 201, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.filters = positive("filters", filters, self)
        self.kernel_size = positive("kernel_size", kernel_size, self)

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        super().build(query_shape, memory_shape)
        self.add_weight(shape=(self.kernel_size, self.filters), name="filters")
        self.add_weight(shape=(self.filters, self.units), name="location_kernel")

    def look_back(self, previous: Tensor, parameters: dict) -> Tensor:
        f = scores.location_features(previous, parameters["filters"])
        return linear(f, parameters["location_kernel"])


@keras.saving.register_keras_serializable(package="seqkit")
class CoverageAttention(BahdanauAttention):
    """Additive attention that sees how much it has looked at each position so far.

        k_t = sum_{i < t} a_i                                                   (10)
        e_j = v . tanh(W_q s + W_k h_j + w k_tj + b)                            (11)

    Args:
        units: size of v, > 0.
        kwargs: of `BahdanauAttention`: normalize, return_weights.
    Call, Returns, Masking: as `Attention` says; previous is k_t.

    Weights:
        those of `BahdanauAttention`, and coverage_kernel (w).

    Raises:
        ValueError: if units is not positive, or for a sequence of queries.

    Source:
        See et al. 2017, 2.3; Tu et al. 2016.

    Deviations:
        none.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import CoverageAttention
        >>> attention = CoverageAttention(8)
        >>> tuple(attention(np.zeros((2, 3)), np.zeros((2, 5, 4)), previous=np.ones((2, 5))).shape)
        (2, 4)
    """

    carries = "coverage"

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        super().build(query_shape, memory_shape)
        self.add_weight(shape=(1, self.units), name="coverage_kernel")

    def look_back(self, previous: Tensor, parameters: dict) -> Tensor:
        w = parameters["coverage_kernel"]
        return ops.cast(previous, w.dtype)[..., None] * w
