"""The network: characters, a GRU, the logits of the labels."""

import keras

from seqkit import RNN, GRUCell
from tests.apps.smallest import Config
from tests.apps.smallest.data import Data


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model: characters (batch, length) to logits (batch, labels)."""
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(1001, config.units, mask_zero=True)(inputs)
    x = RNN(GRUCell(config.units, dropout=config.dropout))(x)
    logits = keras.layers.Dense(len(data.vocabulary), dtype="float32")(x)
    model = keras.Model(inputs, logits)
    model.compile(
        keras.optimizers.Adam(config.learning_rate, global_clipnorm=config.clip_norm),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=config.jit,
    )
    return model
