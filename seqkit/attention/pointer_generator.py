"""PointerGenerator: words from a vocabulary, or copied from the source."""

from typing import Any

import keras
from keras import ops

from seqkit.checks import batch_of, check_known, check_shape, static_shape
from seqkit.ops import linear, precise_dtype
from seqkit.outputs import TracedOutputs
from seqkit.typing import Mask, Shape, Tensor

_TINY = 1e-30  # keeps log(0) out


@keras.saving.register_keras_serializable(package="seqkit")
class PointerGenerator(TracedOutputs, keras.layers.Layer):
    """Mixture of a distribution over the vocabulary and copying from attended positions.

        p_gen = σ(w . s + b)                                                    (8)
        p(y) = p_gen softmax(logits)_y + (1 - p_gen) sum_{j: x_j = y} a_j       (9)

    A name that never occurs in training can be copied piece by piece.

    Call arguments:
        logits: (batch, [steps,] vocabulary).
        query: s (batch, [steps,] size), which determines p_gen.
        weights: a (batch, [steps,] time), as returned by an `Attention`.
        source: x (batch, time) int32, ids of the same vocabulary.

    Returns:
        log p (batch, [steps,] vocabulary). In a half-precision model, dtype="float32" preserves the
        small differences that the loss depends on.

    Raises:
        ValueError: If the shapes don't fit together.

    Masking:
        Positions with weight 0 are never copied. The mask of the logits is propagated.

    Weights:
        kernel (w), bias (b).

    Source:
        See et al. 2017, 2.2.

    Deviations:
        s is a single vector, which may be a concatenation of the paper's three; source and target
        share one vocabulary, so that there is no extended one.

    Example:
        >>> import numpy as np
        >>> from seqkit.attention import PointerGenerator
        >>> logits, query = np.zeros((1, 4)), np.zeros((1, 3))
        >>> log_p = PointerGenerator()(logits, query, np.array([[0.5, 0.5]]), np.array([[2, 2]]))
        >>> np.exp(log_p).round(3).tolist()
        [[0.125, 0.125, 0.625, 0.125]]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._query_size = None

    def build(
        self, logits_shape: Shape, query_shape: Shape, weights_shape: Shape, source_shape: Shape
    ) -> None:
        self._check_shapes(logits_shape, query_shape, weights_shape, source_shape)
        check_known("query", query_shape, self)
        self._query_size = query_shape[-1]
        self.kernel = self.add_weight(shape=(query_shape[-1], 1), name="kernel")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")

    def _check_shapes(self, logits: Tensor, query: Tensor, weights: Tensor, source: Tensor) -> None:
        """Raise a ValueError if the tensors, or their shapes, don't fit together."""
        batch, *steps = (static_shape(logits) or ())[:-1] or (None,)
        leading = {"batch": batch} | ({"steps": steps[0]} if steps else {})
        check_shape("logits", logits, leading | {"vocabulary": None}, self)
        check_shape("query", query, leading | {"size": self._query_size}, self)
        check_shape("weights", weights, leading | {"time": None}, self)
        time = (static_shape(weights) or (None,))[-1]
        check_shape("source", source, {"batch": batch_of(weights), "time": time}, self)

    def call(self, logits: Tensor, query: Tensor, weights: Tensor, source: Tensor) -> Tensor:
        self._check_shapes(logits, query, weights, source)
        if len(logits.shape) == 2:
            single = self.call(logits[:, None], query[:, None], weights[:, None], source)
            return ops.squeeze(single, axis=1)
        precise = precise_dtype(self)
        logits, s, a, w, b = (
            ops.cast(x, precise) for x in (logits, query, weights, self.kernel, self.bias)
        )
        gate = linear(s, w) + b
        log_p = ops.log_sigmoid(gate) + ops.log_softmax(logits)

        # Few words of the vocabulary can be copied: only their log p is updated. A word at several
        # positions has the sum of their weights at each of them, and each adds a share of the gain.
        same = ops.cast(ops.equal(source[:, :, None], source[:, None, :]), precise)
        copied = ops.log_sigmoid(-gate) + ops.log(ops.matmul(a, same) + _TINY)
        ids = ops.cast(ops.broadcast_to(source[:, None, :], ops.shape(a)), "int32")
        before = ops.take_along_axis(log_p, ids, axis=2)
        gain = (ops.logaddexp(before, copied) - before) / ops.sum(same, axis=1)[:, None, :]
        return ops.cast(log_p + _scatter(gain, ids, ops.shape(log_p)), self.compute_dtype)

    def compute_output_shape(
        self, logits_shape: Shape, query_shape: Shape, weights_shape: Shape, source_shape: Shape
    ) -> tuple:
        return tuple(logits_shape)

    def compute_mask(self, logits: Tensor, mask: Mask = None) -> Tensor:
        return mask


def _scatter(values: Tensor, ids: Tensor, shape: tuple) -> Tensor:
    """Add values (batch, steps, n) to zeros (batch, steps, vocabulary) at ids (batch, steps, n)."""
    batch, steps, vocabulary = shape
    rows = ops.arange(batch * steps, dtype="int32")[:, None]
    rows = ops.broadcast_to(rows, (batch * steps, ops.shape(ids)[2]))
    indices = ops.stack([rows, ops.reshape(ids, ops.shape(rows))], axis=-1)
    flat = ops.scatter(indices, ops.reshape(values, ops.shape(rows)), (batch * steps, vocabulary))
    return ops.reshape(flat, shape)
