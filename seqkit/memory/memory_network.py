"""The end-to-end memory network: repeated attention of a question to facts."""

from typing import Any, Literal

import keras
from keras import ops

from seqkit.backend import is_concrete
from seqkit.checks import batch_of, check_shape, invalid, one_of, positive
from seqkit.ops import precise_dtype
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Shape, Tensor

PADDING = 0


@keras.saving.register_keras_serializable(package="seqkit")
class MemoryNetwork(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """End-to-end memory network: a question attends to facts once per hop.

        u^1 = sum_j l_j B q_j
        m_i = sum_j l_j A^k x_ij + T_A^k(i)     c_i = sum_j l_j C^k x_ij + T_C^k(i)
        p_i = softmax_i(u^k m_i)                                                        (1)
        o^k = sum_i p_i c_i                                                             (2)
        u^{k+1} = u^k + o^k                                                             (4)

    x_ij is word j of fact i, l_j its position encoding. T(i) encodes how recent a fact is. Tying:

    - "adjacent": A^{k+1} = C^k and B = A^1, and the same for T;
    - "layer-wise": all hops share A and C, B is separate, and u^{k+1} = H u^k + o^k.

    Args:
        vocabulary_size: Number of word ids including padding, > 0.
        units: Size of the embedding of a fact or a question, > 0.
        hops: K, > 0.
        tying: "adjacent" or "layer-wise".
        position_encoding: l_kj = (1 - j/J) - (k/d)(1 - 2j/J) for unit k of d and word j of J;
            False: l = 1, independent of the word order.
        temporal_encoding: Whether to add T; without it, the order of the facts has no effect.
        max_facts: Number of facts that are read, the most recent ones, and rows of T, > 0.
        return_attention: Whether to return p as well.

    Call arguments:
        facts: Word ids (batch, facts, words), the most recent fact last; 0 is padding, and a fact
            without words is padding.
        query: Word ids (batch, words).

    Returns:
        u^{K+1} (batch, units), to be followed by a Dense layer; with `return_attention` also p
        (batch, hops, facts), float32.

    Raises:
        ValueError: If a size is not positive, the tying is unknown, the arguments are not ints of
            these shapes, or, outside of graphs, if an id is not below vocabulary_size.

    Masking:
        Padding may be anywhere. Facts that are not read have weight 0; without facts, all weights
        are 0.

    Source:
        Sukhbaatar et al. 2015, 2 and 4.1.

    Deviations:
        J is the number of real words of the fact; the output matrix W is not tied.

    Example:
        >>> import numpy as np
        >>> from seqkit.memory.memory_network import MemoryNetwork
        >>> facts, query = np.array([[[1, 2, 3], [4, 2, 0], [0, 0, 0]]]), np.array([[5, 1]])
        >>> u, attention = MemoryNetwork(10, units=8, return_attention=True)(facts, query)
        >>> tuple(u.shape), tuple(attention.shape)
        ((1, 8), (1, 3, 3))
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int,
        hops: int = 3,
        tying: Literal["adjacent", "layer-wise"] = "adjacent",
        position_encoding: bool = True,
        temporal_encoding: bool = True,
        max_facts: int = 50,
        return_attention: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = positive("vocabulary_size", vocabulary_size, self)
        self.units = positive("units", units, self)
        self.hops = positive("hops", hops, self)
        self.tying = one_of("tying", tying, ("adjacent", "layer-wise"), self)
        self.position_encoding = position_encoding
        self.temporal_encoding = temporal_encoding
        self.max_facts = positive("max_facts", max_facts, self)
        self.return_attention = return_attention

    def build(self, facts_shape: Shape, query_shape: Shape) -> None:
        self._check_shapes(facts_shape, query_shape)
        # All embeddings are concatenated, so that each word is looked up once. Adjacent: A^1 = B,
        # C^1 = A^2, ..., C^K. Layer-wise: A, C, B.
        d, adjacent = self.units, self.tying == "adjacent"
        per_fact = self.hops + 1 if adjacent else 2
        normal = keras.initializers.RandomNormal
        self.embeddings = self.add_weight(
            shape=(self.vocabulary_size, (per_fact if adjacent else 3) * d),
            initializer=normal(stddev=0.1),
            name="embeddings",
        )
        if self.temporal_encoding:
            self.recency = self.add_weight(
                shape=(self.max_facts, per_fact * d), initializer=normal(stddev=0.1), name="recency"
            )
        if not adjacent:
            self.H = self.add_weight(shape=(d, d), initializer=normal(stddev=0.1), name="H")

    def _check_shapes(self, facts: Tensor | Shape, query: Tensor | Shape) -> None:
        check_shape("facts", facts, {"batch": None, "facts": None, "words": None}, self)
        check_shape("query", query, {"batch": batch_of(facts), "words": None}, self)

    def compute_output_shape(
        self, facts_shape: Shape, query_shape: Shape
    ) -> Shape | tuple[Shape, Shape]:
        batch, facts = facts_shape[:2]
        u = (batch, self.units)
        return (u, (batch, self.hops, facts)) if self.return_attention else u

    def call(self, facts: Tensor, query: Tensor) -> Tensor:
        self._check_shapes(facts, query)
        for name, ids in ("facts", facts), ("query", query):
            dtype = keras.backend.standardize_dtype(ids.dtype)
            if "int" not in dtype:
                raise invalid(
                    self,
                    f"the dtype of {name} is {dtype}; it must be ids of words, e.g. from "
                    "keras.Input((facts, words), dtype='int32')",
                )
            self._check_ids(name, ids)
        d, adjacent = self.units, self.tying == "adjacent"
        E = ops.cast(self.embeddings, self.compute_dtype)
        B, E = (E[:, :d], E) if adjacent else (E[:, 2 * d :], E[:, : 2 * d])
        u = self._encode(query, B)
        is_fact = ops.any(ops.not_equal(facts, PADDING), axis=-1)
        count = ops.cumsum(ops.cast(is_fact, "int32"), axis=1)
        age = count[:, -1:] - count  # 0 for the last fact
        is_read = ops.logical_and(is_fact, age < self.max_facts)
        memory = self._encode(facts, E)  # m and c of all hops, concatenated
        if self.temporal_encoding:
            T = ops.cast(self.recency, self.compute_dtype)
            memory = memory + ops.take(T, ops.minimum(age, self.max_facts - 1), axis=0)

        attention = []
        for k in range(self.hops):
            a, c = (k, k + 1) if adjacent else (0, 1)
            m, c = memory[..., a * d : (a + 1) * d], memory[..., c * d : (c + 1) * d]
            p = _softmax(ops.sum(m * u[:, None, :], axis=-1), is_read)  # (1)
            o = ops.sum(ops.cast(p, c.dtype)[..., None] * c, axis=1)  # (2)
            u = (u if adjacent else ops.matmul(u, ops.cast(self.H, u.dtype))) + o  # (4)
            attention.append(p)
        return (u, ops.stack(attention, axis=1)) if self.return_attention else u

    def _check_ids(self, name: str, ids: Tensor) -> None:
        """Raise a ValueError if an id is out of range, where values are known."""
        if is_concrete(ids) and 0 not in ids.shape:
            for found in int(ops.min(ids)), int(ops.max(ids)):
                if not 0 <= found < self.vocabulary_size:
                    raise invalid(
                        self,
                        f"{name} contain the id {found}; ids must be 0 to "
                        f"{self.vocabulary_size - 1}, less than vocabulary_size",
                    )

    def _encode(self, ids: Tensor, embeddings: Tensor) -> Tensor:
        """Compute sum_j l_j E x_j for concatenated embeddings E, (..., size)."""
        x = ops.take(embeddings, ids, axis=0)
        real = ops.cast(ops.not_equal(ids, PADDING), precise_dtype(self))  # 16 bits can't count
        if not self.position_encoding:
            return ops.squeeze(ops.matmul(ops.cast(real, x.dtype)[..., None, :], x), axis=-2)
        J = ops.maximum(ops.sum(real, axis=-1, keepdims=True), 1)
        j = ops.cumsum(real, axis=-1)
        # l_kj = a_j - k/d b_j: two sums over words instead of a product per unit and word.
        a, b = (1 - j / J) * real, (1 - 2 * j / J) * real
        sums = ops.matmul(ops.cast(ops.stack([a, b], axis=-2), x.dtype), x)
        k = 1 + ops.arange(embeddings.shape[-1]) % self.units
        return sums[..., 0, :] - ops.cast(k / self.units, x.dtype) * sums[..., 1, :]


def _softmax(scores: Tensor, real: Tensor) -> Tensor:
    """Compute the softmax over real positions in float32, exactly 0 elsewhere."""
    scores = ops.where(real, ops.cast(scores, "float32"), -1e9)
    return ops.softmax(scores, axis=-1) * ops.cast(real, "float32")
