"""The network: an encoder, attention, a decoder."""

from typing import Any

import keras
from keras import ops

from apps.common.training.schedules import cosine_decay
from apps.translator.config import Config
from apps.translator.data import Data
from apps.translator.decoder import Decoder
from apps.translator.subwords import BOS, EOS, PAD
from seqkit import RNN, Bidirectional, Cell, GRUCell, LSTMCell, StackedCells
from seqkit.attention import (
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
)
from seqkit.decoding import EndSymbol
from seqkit.typing import Tensor
from seqkit.wiring import Bridge

SEQUENCE = {"bos_id": BOS, "length": EndSymbol(EOS)}  # how a translation begins and ends
_CELLS = {"gru": GRUCell, "lstm": LSTMCell}
_ADDITIVE = {
    "bahdanau": BahdanauAttention,
    "location": LocationAwareAttention,
    "coverage": CoverageAttention,
}


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model, trained by teacher forcing.

    Its inputs are the pieces `source` (batch, source length) and `target` (batch, length), the
    target delayed by one step; its outputs are logits (batch, length, pieces).
    """
    model = network(config, *data.vocabulary.sizes)
    model.compile(
        _optimizer(config, data.steps_per_epoch),
        loss=SmoothedCrossentropy(config.label_smoothing),
        jit_compile=config.jit,
    )
    return model


def network(config: Config, source_pieces: int, target_pieces: int) -> keras.Model:
    """Build the uncompiled model.

    Args:
        config: Configuration of the model.
        source_pieces: Number of source pieces.
        target_pieces: Number of target pieces.

    Returns:
        A model whose last layer, `decoder`, is a `Decoder`; `encoder_of` returns the rest.
    """
    embedding = source_embedding = _embedding(config, target_pieces, "embedding")
    if not config.joint:
        source_embedding = _embedding(config, source_pieces, "source_embedding")

    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, PAD)
    memory = keras.layers.Dropout(config.embedding_dropout)(source_embedding(source))
    for layer in range(config.layers):
        rnn = RNN(_cell(config), return_sequences=True, return_state=True)
        memory, *states = Bidirectional(rnn, name=f"encoder_{layer}")(memory, mask=mask)
    cell = StackedCells([_cell(config) for _ in range(config.layers)])
    initial_states = Bridge(cell.state_size, name="bridge")(states)
    if config.attention == "none":  # the memory is one vector, the last states of the encoder
        memory = ops.expand_dims(ops.concatenate(states, axis=-1), 1)
        mask = ops.ones_like(memory[:, :, 0], dtype="bool")

    decoder = Decoder(
        embedding,
        _with_attention(config, cell),
        embedding_dropout=config.embedding_dropout,
        output_dropout=config.output_dropout,
        copies=config.copy,
        name="decoder",
    )
    target = keras.Input((None,), dtype="int32", name="target")
    logits = decoder(target, source, memory, mask, initial_states)
    return keras.Model({"source": source, "target": target}, logits, name="translator")


def encoder_of(model: keras.Model) -> keras.Model:
    """Return the part before the decoder, from source (batch, length) to memory, mask, states.

    Its outputs are the arguments of `Decoder.prepare` after the source.
    """
    _, _, memory, mask, *states = model.get_layer("decoder").input
    return keras.Model(model.input["source"], [memory, mask, states], name="encoder")


@keras.saving.register_keras_serializable("apps.translator")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy with part of the target spread evenly over all pieces.

        -(1 - smoothing) log p(y) - smoothing mean_k log p(k)

    Args:
        smoothing: Share that is spread, in [0, 1).

    Source:
        Szegedy et al. 2016, 7.
    """

    def __init__(self, smoothing: float = 0.0, name: str = "loss", **kwargs: Any) -> None:
        kwargs.setdefault("reduction", "mean_with_sample_weight")
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        pieces = y_pred.shape[-1]
        one_hot = ops.one_hot(ops.cast(y_true, "int32"), pieces, dtype=y_pred.dtype)
        smoothed = (1 - self.smoothing) * one_hot + self.smoothing / pieces
        return ops.categorical_crossentropy(smoothed, y_pred, from_logits=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "smoothing": self.smoothing}


def _embedding(config: Config, pieces: int, name: str) -> keras.layers.ReversibleEmbedding:
    normal = keras.initializers.RandomNormal(stddev=config.embedding_size**-0.5)
    return keras.layers.ReversibleEmbedding(
        pieces, config.embedding_size, embeddings_initializer=normal, name=name
    )


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
    schedule = cosine_decay(config, steps_per_epoch, warmup=min(steps_per_epoch, steps // 10))
    return keras.optimizers.Adam(schedule, global_clipnorm=config.clip_norm)
