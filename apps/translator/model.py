"""The network: an encoder, attention, a decoder; and its single steps, for the search."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from apps.translator.config import Config
from apps.translator.data import Data
from apps.translator.subwords import BOS, EOS, PAD
from seqkit import RNN, Bidirectional, Cell, GRUCell, LSTMCell, StackedCells
from seqkit.attention import (
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
    PointerGenerator,
)
from seqkit.decoding import EndSymbol
from seqkit.wiring import Bridge

CHAIN = {"bos_id": BOS, "length": EndSymbol(EOS)}  # how a translation begins and ends
_CELLS = {"gru": GRUCell, "lstm": LSTMCell}
_ADDITIVE = {
    "bahdanau": BahdanauAttention,
    "location": LocationAwareAttention,
    "coverage": CoverageAttention,
}


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model of teacher forcing.

    Inputs `source` (batch, source length) and `target` (batch, length) of pieces, the target a
    step late; outputs logits (batch, length, pieces).
    """
    model = network(config, *data.subwords.sizes)
    model.compile(
        _optimizer(config, data.steps_per_epoch),
        loss=SmoothedCrossentropy(config.label_smoothing),
        jit_compile=config.jit,
    )
    return model


def callbacks(config: Config, run: Path) -> list[keras.callbacks.Callback]:
    """None."""
    return []


def network(config: Config, source_pieces: int, target_pieces: int) -> keras.Model:
    """Build the model, not compiled."""

    def vectors(pieces: int, name: str) -> keras.layers.Layer:
        scale = keras.initializers.RandomNormal(stddev=config.embedding_size**-0.5)
        return keras.layers.ReversibleEmbedding(
            pieces, config.embedding_size, embeddings_initializer=scale, name=name
        )

    embedding = vectors(target_pieces, "embedding")
    source_embedding = embedding if config.joint else vectors(source_pieces, "source_embedding")

    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, PAD)
    memory = keras.layers.Dropout(config.embedding_dropout)(source_embedding(source))
    for layer in range(config.layers):
        rnn = RNN(_cell(config), return_sequences=True, return_state=True)
        memory, *states = Bidirectional(rnn, name=f"encoder_{layer}")(memory, mask=mask)

    cell = StackedCells([_cell(config) for _ in range(config.layers)])
    first = Bridge(cell.state_size, name="bridge")(states)
    if config.attention == "none":  # the one thing to look at is how the encoder ended
        memory = ops.expand_dims(ops.concatenate(states, axis=-1), 1)
        mask = ops.ones_like(memory[:, :, 0], dtype="bool")
    memory = keras.layers.Identity(name="memory")(memory)
    mask = keras.layers.Identity(name="memory_mask", dtype="bool")(mask)

    cell = _with_attention(config, cell)
    target = keras.Input((None,), dtype="int32", name="target")
    words = keras.layers.Dropout(config.embedding_dropout)(embedding(target))
    read = RNN(cell, return_sequences=True, name="decoder")(
        words, initial_state=cell.initial_state(first, (memory, mask)), constants=(memory, mask)
    )
    readout = keras.layers.Dense(config.embedding_size, activation="tanh", name="readout")
    told = keras.layers.Dropout(config.output_dropout)(
        readout(ops.concatenate([read, words], axis=-1))
    )
    logits = keras.layers.Activation("linear", dtype="float32")(embedding(told, reverse=True))
    if config.copy:
        points = LuongAttention("general", return_weights=True, name="points")
        a = points(told, memory, mask=mask)[1]
        mix = PointerGenerator(dtype="float32", name="pointer_generator")
        logits = mix(logits, told, a, source)
    return keras.Model({"source": source, "target": target}, logits, name="translator")


@keras.saving.register_keras_serializable("apps.translator")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy with a target that is spread a little over all pieces (Szegedy et al. 2016).

        -(1 - smoothing) log p(y) - smoothing mean_k log p(k)

    Args:
        smoothing: in [0, 1).
    """

    def __init__(self, smoothing: float = 0.0, name: str = "loss", **kwargs: Any) -> None:
        kwargs.setdefault("reduction", "mean_with_sample_weight")
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        pieces = y_pred.shape[-1]
        right = ops.one_hot(ops.cast(y_true, "int32"), pieces, dtype=y_pred.dtype)
        wanted = (1 - self.smoothing) * right + self.smoothing / pieces
        return ops.categorical_crossentropy(wanted, y_pred, from_logits=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "smoothing": self.smoothing}


class Steps:
    """A trained model taken apart: the source is read once, the target piece by piece.

    Args:
        model: of `network`.
    """

    def __init__(self, model: keras.Model) -> None:
        names = "memory", "memory_mask", "bridge"
        self.encoder = keras.Model(
            model.input["source"], [model.get_layer(name).output for name in names]
        )
        self.cell = model.get_layer("decoder").cell
        self.embedding = model.get_layer("embedding")
        self.readout = model.get_layer("readout")
        self.copies = "points" in (layer.name for layer in model.layers)
        if self.copies:
            self.points = model.get_layer("points")
            self.pointer_generator = model.get_layer("pointer_generator")

    def begin(self, source: Any) -> tuple[list, dict]:
        """Read source pieces (batch, length): the first state, and what each step looks at."""
        # Of one state the layer has no list.
        memory, mask, *first = keras.tree.flatten(self.encoder(source, training=False))
        constants = {"memory": self.cell.attention.prepare(memory, mask)}
        if self.copies:
            constants |= {"pointed": self.points.prepare(memory, mask), "source": source}
        return self.cell.initial_state(first, constants["memory"]), constants

    def step(self, tokens: Any, state: list, constants: dict) -> tuple[Any, list]:
        """One step of the decoder, as `seqkit.decoding` asks for it."""
        words = self.embedding(tokens)
        read, state = self.cell(words, state, constants=constants["memory"])
        told = self.readout(ops.concatenate([read, words], axis=-1))
        logits = ops.cast(self.embedding(told, reverse=True), "float32")
        if self.copies:
            a = self.points.compute_weights(told, constants["pointed"])
            return self.pointer_generator(logits, told, a, constants["source"]), state
        return ops.log_softmax(logits), state

    def attention(self, state: list) -> Any:
        """Where the step looked that returned a state: (batch, source length)."""
        return self.cell.attention_weights(state)


def _cell(config: Config) -> Cell:
    return _CELLS[config.cell](config.units, dropout=config.dropout)


def _with_attention(config: Config, cell: Cell) -> AttentionCell:
    if config.attention == "luong":
        return AttentionCell(cell, LuongAttention("general"), attend="after")
    if config.attention == "none":
        return AttentionCell(cell, BahdanauAttention(1))
    return AttentionCell(cell, _ADDITIVE[config.attention](config.units))


def _optimizer(config: Config, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    steps = config.epochs * steps_per_epoch
    warmup = min(steps_per_epoch, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=config.learning_rate, warmup_steps=warmup
    )
    return keras.optimizers.Adam(schedule, global_clipnorm=config.clip_norm)
