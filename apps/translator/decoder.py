"""The decoder: logits of the next piece, after every prefix of a target or one step at a time."""

from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import RNN, Cell
from seqkit.attention import LuongAttention, Memory, PointerGenerator
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Shape, States, Tensor


class Prepared(NamedTuple):
    """Computed once per sequence, before the first step."""

    memory: Memory | None  # of the cell's attention; None: the cell has no attention
    pointer: Memory | None  # of the attention that copies; None: nothing is copied
    source: Tensor | None  # (batch, source length) int32, the pieces to copy


@keras.saving.register_keras_serializable("apps.translator")
class Decoder(ConfigFromSignature, keras.layers.Layer):
    """Recurrent decoder whose output layer shares the embeddings of its inputs.

        x_t = E y_{t-1}
        (o_t, s_t) = cell(x_t, s_{t-1})
        f_t = tanh(W [o_t; x_t] + b)
        logits_t = E^T f_t

    With `copies`, pieces of the source can also be copied: see `PointerGenerator`.

    Args:
        embedding: A `keras.layers.ReversibleEmbedding` (E), which may be shared with other layers.
        cell: A seqkit cell, such as an `AttentionCell`, which attends to the memory.
        embedding_dropout: Dropout rate of x_t.
        output_dropout: Dropout rate of f_t.
        copies: Whether pieces of the source may be copied; requires an `AttentionCell`.

    Call arguments:
        target: (batch, length) int32, the target delayed by one step.
        source: (batch, source length) int32, the pieces to copy; read only with `copies`.
        memory: (batch, source length, features); None for a cell without attention.
        memory_mask: (batch, source length) bool, True = real.
        states: Initial states of the cell, or of the cell that an `AttentionCell` wraps; None:
            those of the cell.

    Returns:
        Logits (batch, length, pieces) in float32; with `copies` log-probabilities.

    Example:
        >>> from seqkit import GRUCell
        >>> decoder = Decoder(keras.layers.ReversibleEmbedding(9, 4), GRUCell(5))
        >>> tuple(decoder(ops.ones((2, 3), "int32")).shape)
        (2, 3, 9)
    """

    def __init__(
        self,
        embedding: keras.layers.ReversibleEmbedding,
        cell: Cell,
        embedding_dropout: float = 0.0,
        output_dropout: float = 0.0,
        copies: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.cell = cell
        self.embedding_dropout = embedding_dropout
        self.output_dropout = output_dropout
        self.copies = copies
        self.drop_embedded = keras.layers.Dropout(embedding_dropout, dtype=self.dtype_policy)
        self.rnn = RNN(cell, return_sequences=True)

    def build(
        self,
        target_shape: Shape,
        source_shape: Shape | None = None,
        memory_shape: Shape | None = None,
        memory_mask_shape: Shape | None = None,
        states_shape: list[Shape] | None = None,
    ) -> None:
        size, policy = self.embedding.output_dim, self.dtype_policy
        if not self.embedding.built:
            self.embedding.build(target_shape)
        constants_shape = None if memory_shape is None else (memory_shape, memory_mask_shape)
        self.rnn.build((*target_shape, size), None, constants_shape)
        # Created after the cell's weights: Keras draws initial weights in this order.
        self.readout = keras.layers.Dense(size, activation="tanh", dtype=policy)
        self.drop_features = keras.layers.Dropout(self.output_dropout, dtype=policy)
        self.readout.build((None, self.cell.output_size + size))
        if self.copies:
            self.pointer = LuongAttention("general", dtype=policy)
            self.pointer.build((None, size), memory_shape)
            self.pointer_generator = PointerGenerator(dtype="float32")

    def call(
        self,
        target: Tensor,
        source: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        states: States | None = None,
    ) -> Tensor:
        states, prepared = self.prepare(source, memory, memory_mask, states)
        embedded = self.drop_embedded(self.embedding(target))
        decoded = self.rnn(embedded, initial_state=states, constants=prepared.memory)
        return self._logits(embedded, decoded, prepared)

    @property
    def shares_memory(self) -> bool:
        """Whether several rows of `step` can share one row of the constants."""
        attention = getattr(self.cell, "attention", None)
        return attention is not None and not attention.feedback and not self.copies

    def prepare(
        self,
        source: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        states: States | None = None,
    ) -> tuple[States | None, Prepared]:
        """Return the initial state and the constants of `step`; arguments as for a call."""
        if memory is None:
            return states, Prepared(None, None, None)
        attended = self.cell.attention.prepare(memory, memory_mask)
        pointer = self.pointer.prepare(memory, memory_mask) if self.copies else None
        prepared = Prepared(attended, pointer, source if self.copies else None)
        return self.cell.initial_state(states, attended), prepared

    def step(self, tokens: Tensor, state: States, prepared: Prepared) -> tuple[Tensor, States]:
        """Return log-probabilities (rows, pieces) after tokens (rows,), and the new state.

        This is the `step` of `seqkit.decoding`.
        """
        embedded = self.embedding(tokens)
        decoded, state = self.cell(embedded, state, constants=prepared.memory)
        logits = self._logits(embedded, decoded, prepared)
        return logits if self.copies else ops.log_softmax(logits), state

    def _logits(self, embedded: Tensor, decoded: Tensor, prepared: Prepared) -> Tensor:
        """Compute the logits of one step (rows, ...) or of all (batch, length, ...)."""
        features = self.readout(ops.concatenate([decoded, embedded], axis=-1))
        features = self.drop_features(features)
        logits = ops.cast(self.embedding(features, reverse=True), "float32")
        if not self.copies:
            return logits
        weights = self.pointer.compute_weights(features, prepared.pointer)
        return self.pointer_generator(logits, features, weights, prepared.source)
