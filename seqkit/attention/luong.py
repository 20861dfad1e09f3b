"""Multiplicative attention over the whole memory or a window."""

from typing import Any, Literal

import keras
from keras import ops

from seqkit.attention import scores
from seqkit.attention.attention import Attention, Memory
from seqkit.checks import one_of, positive
from seqkit.ops import linear
from seqkit.typing import Shape, Tensor

SCORES = ("dot", "scaled_dot", "general", "concat")


@keras.saving.register_keras_serializable(package="seqkit")
class LuongAttention(Attention):
    """Multiplicative attention.

        e_j = s . h_j                       dot                                 (8)
        e_j = s . h_j / sqrt(size)          scaled_dot
        e_j = s . W h_j                     general                             (8)
        e_j = v . tanh(W [s; h_j])          concat                              (8)
        a = softmax(e),   c = sum_j a_j h_j                                     (7)

    With a window (local-p), only positions j in [p - D, p + D] are attended to:

        p = S σ(v_p . tanh(W_p s))                                              (9)
        a_j = softmax(e)_j exp(-(j - p)^2 / (2 (D/2)^2))                        (10)

    Args:
        score: "dot", "scaled_dot", "general" or "concat" (v is as wide as the query).
        window: D > 0; None: all positions.
        kwargs: Arguments of `Attention`: return_weights.

    Call arguments, returned values and masking are those of `Attention`. S is the number of real
    positions, and j numbers them. With a window, the weights sum to less than 1.

    Raises:
        ValueError: If the score is unknown, a window is not positive, or, with dot and scaled_dot,
            query and memory differ in size.

    Weights:
        general: key_kernel (W); concat: key_kernel and query_kernel (the columns of W for h and s)
        and v; window: window_kernel (W_p) and window_v (v_p).

    Source:
        Luong et al. 2015, 3.1-3.2; Vaswani et al. 2017, eq. 1 (scaled_dot).

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import LuongAttention
        >>> attention = LuongAttention("general", window=2, return_weights=True)
        >>> c, a = attention(np.zeros((2, 6, 3)), np.zeros((2, 5, 4)))
        >>> tuple(c.shape), tuple(a.shape)
        ((2, 6, 4), (2, 6, 5))
    """

    def __init__(
        self,
        score: Literal["dot", "scaled_dot", "general", "concat"] = "dot",
        window: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.score = one_of("score", score, SCORES, self)
        self.window = window if window is None else positive("window", window, self)

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        super().build(query_shape, memory_shape)
        size = query_shape[-1]
        if self.score in ("general", "concat"):
            self.key_kernel = self.add_weight(shape=(memory_shape[-1], size), name="key_kernel")
        elif size != memory_shape[-1]:
            raise ValueError(
                f"LuongAttention: the query is {size} wide and the memory {memory_shape[-1]}; "
                f"{self.score!r} requires equal sizes, 'general' does not"
            )
        if self.score == "concat":
            self.add_weight(shape=(size, size), name="query_kernel")
            self.add_weight(shape=(size,), initializer="glorot_uniform", name="v")
        if self.window is not None:
            self.add_weight(shape=(size, size), name="window_kernel")
            self.add_weight(shape=(size,), initializer="glorot_uniform", name="window_v")

    def keys(self, memory: Tensor) -> Tensor:
        if self.score in ("dot", "scaled_dot"):
            return memory
        return linear(memory, ops.cast(self.key_kernel, memory.dtype))

    def align(self, query: Tensor, memory: Memory, previous: Tensor, parameters: dict) -> Tensor:
        p, keys, mask = parameters, memory.keys, memory.mask[:, None, :]
        if self.score == "concat":
            e = scores.additive(linear(query, p["query_kernel"]), keys, p["v"])
        else:
            e = (scores.scaled_dot if self.score == "scaled_dot" else scores.dot)(query, keys)
        if self.window is None:
            return scores.masked_softmax(e, mask)
        factor, inside = scores.local_window(
            query, memory.mask, p["window_kernel"], p["window_v"], self.window
        )
        return scores.masked_softmax(e, ops.logical_and(mask, inside)) * factor
