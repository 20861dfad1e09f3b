"""Attention: what its kinds share (Deep Learning, 12.4.5.1; 10.4)."""

from typing import Any, Literal, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.attention.scores import read
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Tensor


class Memory(NamedTuple):
    """What attention looks at, with what of it is computed once a sentence."""

    keys: Tensor  # (batch, time, size of a key)
    values: Tensor  # h (batch, time, features), zeros where nothing is real
    mask: Tensor  # (batch, time) bool


class Attention(ConfigFromSignature, keras.layers.Layer):
    """Weights over the positions of a memory, and the mean of what stands there.

        a_j = softmax_j(score(s, h_j)),   c = sum_j a_j h_j

    Subclasses build their weights from (query_shape, memory_shape), and write `align` and, where
    keys are not the memory itself, `keys`.

    `carries` tells what `align` wants to know of the steps before: nothing (None), the weights of
    the last one ("weights") or the sum of all ("coverage").

    Args:
        return_weights: return the weights, too.

    Call arguments:
        query: s (batch, size) or (batch, queries, size).
        memory: h (batch, time, features).
        mask: (batch, time) bool, True = real; taken from the memory if Keras propagates one there.
        previous: (batch, time), what is carried; None: zeros, as before the first step.

    Returns:
        c (batch, [queries,] features); with `return_weights` also a (batch, [queries,] time), which
        is in float32 (or float64 if that is the policy).

    Masking:
        padding of the memory may lie anywhere and is never read, NaN included: its weight is
        exactly 0. If a whole row is padding, a and c are zeros. The context carries the query's
        mask on.

    Raises:
        ValueError: if a sequence of queries meets an attention that carries something: only
            `AttentionCell` knows their order in time.
    """

    carries: Literal[None, "weights", "coverage"] = None

    def __init__(self, return_weights: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.return_weights = return_weights
        self.supports_masking = True

    def keys(self, memory: Tensor) -> Tensor:
        """(batch, time, features) -> (batch, time, size of a key)."""
        return memory

    def align(self, query: Tensor, memory: Memory, previous: Tensor, parameters: dict) -> Tensor:
        """A (batch, queries, time) of query (batch, queries, size)."""
        raise NotImplementedError(f"{type(self).__name__} must define `align`")

    def prepare(self, memory: Tensor, mask: Tensor | None = None) -> Memory:
        """What holds for all queries: memory (batch, time, features), mask (batch, time)."""
        if not self.built:
            raise ValueError(
                f"{self.name} has no weights yet to make keys with; call it, or the RNN around it, "
                "once before"
            )
        if mask is None:
            mask = getattr(memory, "_keras_mask", None)
        memory = ops.cast(memory, self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(memory)[:2], "bool")
        else:
            mask = ops.cast(mask, "bool")
            # Padding may hold anything; a NaN there would reach the weights' gradients.
            memory = ops.where(mask[..., None], memory, ops.zeros((), memory.dtype))
        return Memory(self.keys(memory), memory, mask)

    def parameters(self) -> dict:
        """The weights by name, read once: read in a loop, TensorFlow would copy them each step."""
        return {w.name: ops.cast(backend.read(w), self.compute_dtype) for w in self.weights}

    def compute_weights(
        self,
        query: Tensor,
        memory: Memory,
        previous: Tensor | None = None,
        parameters: dict | None = None,
    ) -> Tensor:
        """a: query (batch, [queries,] size) -> (batch, [queries,] time).

        previous: what the attention carries (batch, time); None: zeros.
        parameters: of `parameters()`, for a loop that reads them before; None: read here.
        """
        single = len(query.shape) == 2
        if self.carries and not single:
            raise ValueError(
                f"{self.name} looks at the {self.carries} of the steps before, which a sequence of "
                f"queries doesn't have; give one query (batch, size), or use AttentionCell. Got "
                f"{tuple(query.shape)}"
            )
        query = ops.cast(query[:, None] if single else query, self.compute_dtype)
        if self.carries and previous is None:
            previous = ops.zeros_like(memory.mask, dtype=self.compute_dtype)
        parameters = self.parameters() if parameters is None else parameters
        weights = self.align(query, memory, previous, parameters)
        return ops.squeeze(weights, axis=1) if single else weights

    def call(
        self,
        query: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        previous: Tensor | None = None,
    ) -> Tensor:
        remembered = self.prepare(memory, mask)
        weights = self.compute_weights(query, remembered, previous)
        context = read(weights, remembered.values)
        return (context, weights) if self.return_weights else context

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        # By tracing: the weights are in float32 whatever the policy.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)
