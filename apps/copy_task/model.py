"""The network: a cell with a memory, unfolded over time, and the logits of the bits."""

from pathlib import Path

import keras

from apps.common.training.schedules import cosine_decay
from apps.copy_task.config import Config
from apps.copy_task.data import Data
from seqkit import RNN, Cell, DNCCell, LSTMCell, NTMCell, SparseNTMCell
from seqkit.diagnostics import NanGuard


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model: inputs (batch, time, features) to logits (batch, time, bits)."""
    inputs = keras.Input((None, data.input_size), name="inputs")
    x = RNN(_cell(config), return_sequences=True, name="rnn")(inputs)
    logits = keras.layers.Dense(data.output_size, dtype="float32", name="logits")(x)
    model = keras.Model(inputs, logits, name="copy_task")
    schedule = cosine_decay(config, data.steps_per_epoch)
    model.compile(
        keras.optimizers.RMSprop(schedule, momentum=0.9, global_clipnorm=config.clip_norm),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
        jit_compile=config.jit,
    )
    return model


def callbacks(config: Config, run: Path) -> list[keras.callbacks.Callback]:
    """Stop at the first non-finite value, and save the step for replay in `nan.zip`."""
    return [NanGuard(run / "nan.zip")]


def _cell(config: Config) -> Cell:
    if config.cell == "lstm":
        return LSTMCell(config.units)
    if config.controller == "lstm":
        controller = LSTMCell(config.units)
    else:
        controller = keras.layers.Dense(config.units, activation="tanh")
    sizes = (config.memory_size, config.word_size, config.num_reads)
    if config.cell == "dnc":
        return DNCCell(controller, *sizes)
    if config.cell == "sparse_ntm":
        return SparseNTMCell(controller, *sizes)
    return NTMCell(
        controller,
        *sizes,
        num_writes=config.num_writes,
        add_regularizer=keras.regularizers.L2(config.write_penalty),
    )
