"""The network: word vectors, bidirectional LSTMs, a score for each tag."""

import keras
from keras import ops

from apps.tagger.config import Config
from apps.tagger.data import Data
from apps.tagger.vocabulary import PADDING, UNKNOWN
from seqkit import RNN, Bidirectional, LSTMCell


@keras.saving.register_keras_serializable("apps.tagger")
class WordDropout(keras.layers.Layer):
    """Replaces a share of the word ids by that of the unknown word, in training only.

    Args:
        rate: share of the words, in [0, 1).
        seed: seed of the choice.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training or not self.rate:
            return inputs
        hidden = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator) < self.rate
        hidden = ops.logical_and(hidden, inputs != PADDING)
        return ops.where(hidden, ops.cast(UNKNOWN, inputs.dtype), inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model: word ids (batch, length) to logits (batch, length, tags)."""
    vocabulary = data.vocabulary
    words = keras.Input((None,), dtype="int32", name="words")
    x = WordDropout(config.word_dropout)(words)
    x = keras.layers.Embedding(vocabulary.size, config.embedding_size, mask_zero=True)(x)
    for _ in range(config.layers):
        cell = LSTMCell(
            config.units, dropout=config.dropout, recurrent_dropout=config.recurrent_dropout
        )
        x = Bidirectional(RNN(cell, return_sequences=True))(x)
    logits = keras.layers.Dense(len(vocabulary.tags), dtype="float32", name="logits")(x)
    model = keras.Model(words, logits, name="tagger")
    model.compile(
        keras.optimizers.AdamW(
            config.learning_rate,
            weight_decay=config.weight_decay,
            global_clipnorm=config.clip_norm,
            use_ema=config.ema is not None,
            ema_momentum=config.ema or 0.0,
        ),
        # Weighted mean: a real word counts one, padding nothing.
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        ),
        weighted_metrics=["accuracy"],
        jit_compile=config.jit,
    )
    return model
