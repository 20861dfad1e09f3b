"""Additive attention, and two variants with feedback from earlier steps."""

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
    """Additive attention: scores from a small network over query and position.

        e_j = v . tanh(W_q s + W_k h_j)
        e_j = g v / |v| . tanh(W_q s + W_k h_j + b)         normalize
        a = softmax(e),   c = sum_j a_j h_j

    Args:
        units: Size of v, > 0.
        normalize: Whether the norm of v is a separate weight g, initialized to sqrt(1 / units).
        kwargs: Arguments of `Attention`: return_weights.

    Call arguments, returned values and masking are those of `Attention`.

    Raises:
        ValueError: If units is not positive.

    Weights:
        query_kernel (W_q), key_kernel (W_k), v; with normalize or feedback bias (b), with normalize
        g.

    Source:
        Bahdanau et al. 2015, A.1.2; Salimans and Kingma 2016 (normalize).

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
        super().build(query_shape, memory_shape)
        self.add_weight(shape=(query_shape[-1], self.units), name="query_kernel")
        self.key_kernel = self.add_weight(shape=(memory_shape[-1], self.units), name="key_kernel")
        self.add_weight(shape=(self.units,), initializer="glorot_uniform", name="v")
        if self.normalize:
            length = keras.initializers.Constant(self.units**-0.5)
            self.add_weight(shape=(), initializer=length, name="g")
        if self.normalize or self.feedback:
            self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def keys(self, memory: Tensor) -> Tensor:
        return linear(memory, ops.cast(self.key_kernel, memory.dtype))

    def feedback_term(self, previous: Tensor, parameters: dict) -> Tensor:
        """Compute the term of the feedback, added to the keys: (batch, time, units), or 0."""
        return 0

    def align(self, query: Tensor, memory: Memory, previous: Tensor, parameters: dict) -> Tensor:
        p = parameters
        v = scores.normalized(p["v"], p["g"]) if self.normalize else p["v"]
        keys = memory.keys + self.feedback_term(previous, p)
        e = scores.additive(linear(query, p["query_kernel"]), keys, v, p.get("bias"))
        return scores.masked_softmax(e, memory.mask[:, None, :])


@keras.saving.register_keras_serializable(package="seqkit")
class LocationAwareAttention(BahdanauAttention):
    """Additive attention whose scores depend on the weights of the previous step.

        f_t = F * a_{t-1}                                                       (8)
        e_j = v . tanh(W_q s + W_k h_j + U f_tj + b)                            (9)

    Args:
        units: Size of v, > 0.
        filters: Number of filters, > 0.
        kernel_size: Width of F in positions, > 0.
        kwargs: Arguments of `BahdanauAttention`: normalize, return_weights.

    Call arguments, returned values and masking are those of `Attention`; previous is a_{t-1}.
    Padding in the middle of a memory counts as positions of the convolution.

    Raises:
        ValueError: If a size is not positive, or for a sequence of queries.

    Weights:
        Those of `BahdanauAttention`, filters (F), and location_kernel (U).

    Source:
        Chorowski et al. 2015, 2.1; the defaults are its values for speech.

    Deviations:
        Before the first step a is 0.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import LocationAwareAttention
        >>> attention = LocationAwareAttention(8, filters=2, kernel_size=3)
        >>> s, h, a = np.zeros((2, 3)), np.zeros((2, 5, 4)), np.ones((2, 5)) / 5
        >>> tuple(attention(s, h, previous=a).shape)
        (2, 4)
    """

    feedback = "weights"

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

    def feedback_term(self, previous: Tensor, parameters: dict) -> Tensor:
        f = scores.location_features(previous, parameters["filters"])
        return linear(f, parameters["location_kernel"])


@keras.saving.register_keras_serializable(package="seqkit")
class CoverageAttention(BahdanauAttention):
    """Additive attention whose scores depend on the attention each position got so far.

        k_t = sum_{i < t} a_i                                                   (10)
        e_j = v . tanh(W_q s + W_k h_j + w k_tj + b)                            (11)

    Args:
        units: Size of v, > 0.
        kwargs: Arguments of `BahdanauAttention`: normalize, return_weights.

    Call arguments, returned values and masking are those of `Attention`; previous is k_t.

    Raises:
        ValueError: If units is not positive, or for a sequence of queries.

    Weights:
        Those of `BahdanauAttention`, and coverage_kernel (w).

    Source:
        See et al. 2017, 2.3; Tu et al. 2016.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import CoverageAttention
        >>> attention = CoverageAttention(8)
        >>> s, h, k = np.zeros((2, 3)), np.zeros((2, 5, 4)), np.ones((2, 5))
        >>> tuple(attention(s, h, previous=k).shape)
        (2, 4)
    """

    feedback = "coverage"

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        super().build(query_shape, memory_shape)
        self.add_weight(shape=(1, self.units), name="coverage_kernel")

    def feedback_term(self, previous: Tensor, parameters: dict) -> Tensor:
        w = parameters["coverage_kernel"]
        return ops.cast(previous, w.dtype)[..., None] * w
