"""PointerGenerator: words from a vocabulary, or taken over from the source."""

from typing import Any

import keras
from keras import ops

from seqkit.ops import linear
from seqkit.typing import Shape, Tensor

_TINY = 1e-30  # log of it is a number


@keras.saving.register_keras_serializable(package="seqkit")
class PointerGenerator(keras.layers.Layer):
    """Mix what a vocabulary proposes with what stands where attention points.

        p_gen = sigmoid(w . s + b)                                              (8)
        p(y) = p_gen softmax(logits)_y + (1 - p_gen) sum_{j: x_j = y} a_j       (9)

    A name that training never showed can be taken over piece by piece.

    Call arguments:
        logits: (batch, [steps,] vocabulary).
        query: s (batch, [steps,] size), what decides between the two.
        weights: a (batch, [steps,] time), such as an `Attention` returns.
        source: x (batch, time) int32, ids of the same vocabulary.

    Returns:
        log p (batch, [steps,] vocabulary). Beside layers in half precision, dtype="float32" keeps
        the small differences that a loss is made of.

    Masking:
        what stands at a position of weight 0 is never taken over. The result carries the mask of
        the logits on.

    Weights:
        kernel (w), bias (b).

    Source:
        See et al. 2017, 2.2.

    Deviations:
        s is one vector, which may hold the paper's three; one vocabulary for both sides, so that
        there is no extended one.

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

    def build(
        self, logits_shape: Shape, query_shape: Shape, weights_shape: Shape, source_shape: Shape
    ) -> None:
        self.kernel = self.add_weight(shape=(query_shape[-1], 1), name="kernel")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")

    def call(self, logits: Tensor, query: Tensor, weights: Tensor, source: Tensor) -> Tensor:
        if len(logits.shape) == 2:
            single = self.call(logits[:, None], query[:, None], weights[:, None], source)
            return ops.squeeze(single, axis=1)
        precise = "float64" if self.compute_dtype == "float64" else "float32"
        logits, s, a, w, b = (
            ops.cast(x, precise) for x in (logits, query, weights, self.kernel, self.bias)
        )
        decides = linear(s, w) + b
        log_p = ops.log_sigmoid(decides) + ops.log_softmax(logits)

        # All but a few words can't be taken over: what these gain is added where they stand. A
        # word that stands in several places has there the sum of their weights, and a share of it.
        same = ops.cast(ops.equal(source[:, :, None], source[:, None, :]), precise)
        copied = ops.log_sigmoid(-decides) + ops.log(ops.matmul(a, same) + _TINY)
        at = ops.cast(ops.broadcast_to(source[:, None, :], ops.shape(a)), "int32")
        before = ops.take_along_axis(log_p, at, axis=2)
        gain = (ops.logaddexp(before, copied) - before) / ops.sum(same, axis=1)[:, None, :]
        return ops.cast(log_p + _spread(gain, at, ops.shape(log_p)), self.compute_dtype)

    def compute_output_shape(
        self, logits_shape: Shape, query_shape: Shape, weights_shape: Shape, source_shape: Shape
    ) -> tuple:
        return tuple(logits_shape)

    def compute_mask(self, logits: Tensor, mask: Tensor | None = None) -> Tensor:
        return mask


def _spread(values: Tensor, at: Tensor, shape: tuple) -> Tensor:
    """Zeros (batch, steps, vocabulary), with values (batch, steps, n) added at ids of the last."""
    batch, steps, vocabulary = shape
    rows = ops.arange(batch * steps, dtype="int32")[:, None]
    rows = ops.broadcast_to(rows, (batch * steps, ops.shape(at)[2]))
    indices = ops.stack([rows, ops.reshape(at, ops.shape(rows))], axis=-1)
    flat = ops.scatter(indices, ops.reshape(values, ops.shape(rows)), (batch * steps, vocabulary))
    return ops.reshape(flat, shape)
