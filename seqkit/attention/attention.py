"""Base class of the attention layers (Deep Learning, 12.4.5.1; 10.4)."""

from typing import Any, Literal, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.attention.scores import read
from seqkit.checks import (
    as_mask,
    batch_of,
    check_known,
    check_numbers,
    check_shape,
    invalid,
    static_shape,
)
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Tensor


class Memory(NamedTuple):
    """A memory with its keys, computed once per sequence."""

    keys: Tensor  # (batch, time, key size)
    values: Tensor  # h (batch, time, features), zeros at padding
    mask: Tensor  # (batch, time) bool


class Attention(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Weights over the positions of a memory, and the weighted mean of its values.

        a_j = softmax_j(score(s, h_j)),   c = sum_j a_j h_j

    Subclasses build their weights from (query_shape, memory_shape), after `super().build`, and
    define `align` and, if keys are not the memory itself, `keys`.

    `feedback` is what `align` requires from earlier steps: nothing (None), the weights of the
    previous step ("weights") or the sum over all earlier steps ("coverage").

    Args:
        return_weights: Whether to return the weights as well.

    Call arguments:
        query: s (batch, size) or (batch, queries, size).
        memory: h (batch, time, features). As in Keras, both may be one list: [query, memory].
        mask: (batch, time) bool, True = real; by default the Keras mask of the memory.
        previous: (batch, time), the feedback; None: zeros, as before the first step.

    Returns:
        c (batch, [queries,] features); with `return_weights` also a (batch, [queries,] time), in
        float32 (or float64 if that is the policy).

    Masking:
        Padding of the memory may be anywhere and is never read, even if it is NaN: its weight is
        exactly 0. If a whole row is padding, a and c are zeros. The query's mask is propagated to
        the context.

    Raises:
        ValueError: If an argument's shape doesn't fit, or an attention with feedback gets a
            sequence of queries: only `AttentionCell` runs them one after the other.
    """

    feedback: Literal[None, "weights", "coverage"] = None

    def __init__(self, return_weights: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.return_weights = return_weights
        self.supports_masking = True
        self._sizes = None, None  # the last sizes of query and memory

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        self._check_query(query_shape)
        self._check_memory(memory_shape)
        for name, shape in ("query", query_shape), ("memory", memory_shape):
            check_known(name, shape, self)
        self._sizes = query_shape[-1], memory_shape[-1]

    def _check_query(self, query: Tensor | Shape) -> None:
        size = self._sizes[0]
        if len(static_shape(query) or ()) == 2:
            check_shape("query", query, {"batch": None, "size": size}, self)
        else:
            axes = {"batch": None, "queries": None, "size": size}
            check_shape("query", query, axes, self, " or (batch, size)")

    def _check_memory(self, memory: Tensor | Shape) -> None:
        axes = {"batch": None, "time": None, "features": self._sizes[1]}
        check_shape("memory", memory, axes, self, ", e.g. of an RNN with return_sequences=True")

    def keys(self, memory: Tensor) -> Tensor:
        """Map the memory (batch, time, features) to keys (batch, time, key size)."""
        return memory

    def align(self, query: Tensor, memory: Memory, previous: Tensor, parameters: dict) -> Tensor:
        """Compute the weights a (batch, queries, time) of queries (batch, queries, size)."""
        raise NotImplementedError(f"{type(self).__name__} must define `align`")

    def prepare(self, memory: Tensor, mask: Mask = None) -> Memory:
        """Compute the keys of a memory (batch, time, features) with mask (batch, time)."""
        if not self.built:
            raise invalid(
                self,
                "has no weights yet to compute keys with; call it, or the RNN around it, once "
                "first",
            )
        mask = getattr(memory, "_keras_mask", None) if mask is None else mask
        self._check_memory(memory)
        check_numbers("memory", memory, self)
        mask = as_mask("mask", mask, memory, self)
        memory = ops.cast(memory, self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(memory)[:2], "bool")
        else:
            # Padding may hold anything; a NaN there would reach the gradients of the weights.
            memory = ops.where(mask[..., None], memory, ops.zeros((), memory.dtype))
        return Memory(self.keys(memory), memory, mask)

    def parameters(self) -> dict:
        """Read the weights, by name, once: TensorFlow copies weights read in a loop every step."""
        return {w.name: ops.cast(backend.read(w), self.compute_dtype) for w in self.weights}

    def compute_weights(
        self,
        query: Tensor,
        memory: Memory,
        previous: Tensor | None = None,
        parameters: dict | None = None,
    ) -> Tensor:
        """Compute the weights a of a query, a prepared memory and the feedback.

        Args:
            query: (batch, [queries,] size).
            memory: Result of `prepare`.
            previous: Feedback (batch, time); None: zeros.
            parameters: Result of `parameters()`, read before a loop; None: read here.

        Returns:
            (batch, [queries,] time).
        """
        batch, time = static_shape(memory.mask) or (None, None)
        self._check_query(query)
        if None not in (batch, batch_of(query)) and batch != batch_of(query):
            raise invalid(
                self,
                f"query has {batch_of(query)} rows and memory {batch}; each needs one row per "
                "sequence",
            )
        check_numbers("query", query, self)
        if previous is not None:
            check_shape("previous", previous, {"batch": batch, "time": time}, self)
        single = len(query.shape) == 2
        if self.feedback and not single:
            raise invalid(
                self,
                f"needs the {self.feedback} of earlier steps, which a sequence of queries "
                "doesn't have; give one query (batch, size), or use AttentionCell. Got "
                f"{static_shape(query)}",
            )
        query = ops.cast(query[:, None] if single else query, self.compute_dtype)
        if self.feedback and previous is None:
            previous = ops.zeros_like(memory.mask, dtype=self.compute_dtype)
        parameters = self.parameters() if parameters is None else parameters
        weights = self.align(query, memory, previous, parameters)
        return ops.squeeze(weights, axis=1) if single else weights

    def __call__(self, query: Tensor | list[Tensor], *args: Any, **kwargs: Any) -> Nest:
        """Accept the list of Keras's attention layers as well."""
        if isinstance(query, (list, tuple)) and not args and "memory" not in kwargs:
            if not 2 <= len(query) <= 3 or (len(query) == 3 and query[1] is not query[2]):
                raise invalid(
                    self,
                    "a list must be [query, memory]; keys of their own are not supported, since "
                    "they are computed from the memory",
                )
            query, *args = query[:2]
        return super().__call__(query, *args, **kwargs)

    def call(
        self, query: Tensor, memory: Tensor, mask: Mask = None, previous: Tensor | None = None
    ) -> Tensor:
        prepared = self.prepare(memory, mask)
        weights = self.compute_weights(query, prepared, previous)
        context = read(weights, prepared.values)
        return (context, weights) if self.return_weights else context

    def compute_output_shape(
        self,
        query_shape: Shape,
        memory_shape: Shape,
        mask_shape: Shape | None = None,
        previous_shape: Shape | None = None,
    ) -> Shape | tuple[Shape, Shape]:
        context = (*query_shape[:-1], memory_shape[-1])
        weights = (*query_shape[:-1], memory_shape[1])
        return (context, weights) if self.return_weights else context
