"""The network: what is seen of each word, bidirectional LSTMs, a score for each tag."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from apps.tagger.config import Config
from apps.tagger.data import NEIGHBOURS, NO_TAG, Data, input_names
from apps.tagger.features import CASINGS, CHARACTERS
from apps.tagger.vocabulary import PADDING, UNKNOWN
from seqkit import CRF, RNN, Bidirectional, LSTMCell, crf_loss, transition_constraints
from seqkit.serialization import ConfigFromSignature

_CASING_SIZE = 8
_CHARACTER_SIZE = 32
_LANGUAGE_MODEL_SIZE = 50  # of what the words beside are told from


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


@keras.saving.register_keras_serializable("apps.tagger")
class EachWord(ConfigFromSignature, keras.layers.Layer):
    """Applies a layer to each word: (batch, length, ...) as (batch * length, ...), in one go.

    Args:
        layer: turns (words, ...) into (words, units).
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: tuple) -> None:
        self.layer.build((None, *input_shape[2:]))

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        batch, length = ops.shape(inputs)[:2]
        flat = ops.reshape(inputs, (-1, *inputs.shape[2:]))
        outputs = self.layer(flat, training=training)
        return ops.reshape(outputs, (batch, length, outputs.shape[-1]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        flat = self.layer.compute_output_shape((None, *input_shape[2:]))
        return (*input_shape[:2], flat[-1])


@keras.saving.register_keras_serializable("apps.tagger")
def crf_loss_per_word(tags: Any, potentials: Any) -> Any:
    """The loss of each sentence, scaled so that the mean over sentences is that over words."""
    words = ops.sum(ops.cast(tags != NO_TAG, "float32"))
    sentences = ops.cast(ops.shape(tags)[0], "float32")
    return crf_loss(tags, potentials) * sentences / ops.maximum(words, 1.0)


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model: a dict of ids to a dict of scores, in training of all targets.

    `tags` are logits (batch, length, tags), or with a CRF potentials (batch, length, tags, tags).
    """
    vocabulary = data.vocabulary
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in input_names(config)}
    words = inputs["words"]
    is_word = ops.not_equal(words, PADDING)

    seen = [
        keras.layers.Embedding(vocabulary.size, config.embedding_size)(
            WordDropout(config.word_dropout)(words)
        )
    ]
    if config.vectors:
        seen.append(_pretrained(data)(inputs["vectors"]))
    if config.casing:
        seen.append(keras.layers.Embedding(CASINGS, _CASING_SIZE)(inputs["casing"]))
    if config.characters != "none":
        characters = keras.Input((None, CHARACTERS), dtype="int32", name="characters")
        inputs["characters"] = characters
        seen.append(EachWord(_spelling(config, data))(characters))
    x = keras.layers.Concatenate()(seen) if len(seen) > 1 else seen[0]

    outputs, weights = {}, {}
    for layer in range(config.layers):
        cell = LSTMCell(
            config.units, dropout=config.dropout, recurrent_dropout=config.recurrent_dropout
        )
        x = Bidirectional(RNN(cell, return_sequences=True))(x, mask=is_word)
        if layer == 0 and config.language_model:
            # Each direction by itself: the other has seen the word that is to be told.
            directions = {
                "next_word": x[..., : config.units],
                "previous_word": x[..., config.units :],
            }
            for name, h in directions.items():
                m = keras.layers.Dense(_LANGUAGE_MODEL_SIZE, activation="tanh")(h)
                outputs[name] = keras.layers.Dense(NEIGHBOURS, dtype="float32", name=name)(m)
                weights[name] = config.language_model
    x = keras.layers.Dropout(config.output_dropout)(x)

    labels = {"tags": vocabulary.tags}
    labels |= {f"auxiliary_{i}": tags for i, tags in enumerate(vocabulary.auxiliary)}
    for name, tags in labels.items():
        outputs[name] = keras.layers.Dense(len(tags), dtype="float32", name=name)(x)
        weights[name] = 1.0
    losses = {
        name: keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=NO_TAG)
        for name in outputs
    }
    if config.output == "crf":
        constraints = (
            transition_constraints(vocabulary.tags, "IOBES") if vocabulary.scheme else None
        )
        crf = CRF(len(vocabulary.tags), constraints, name="crf")
        outputs["tags"] = crf(outputs["tags"], mask=is_word)
        losses["tags"] = crf_loss_per_word
    model = keras.Model(inputs, outputs, name="tagger")
    model.compile(_optimizer(config), loss=losses, loss_weights=weights, jit_compile=config.jit)
    return model


def callbacks(config: Config, run: Path) -> list[keras.callbacks.Callback]:
    """Nothing watches the training."""
    return []


def _pretrained(data: Data) -> keras.layers.Layer:
    """Word vectors as they are; a word without one has zeros."""
    count, width = data.vectors.shape
    layer = keras.layers.Embedding(count + 2, width, trainable=False, name="pretrained")
    layer.build()
    layer.set_weights([np.concatenate([np.zeros((2, width), "float32"), data.vectors])])
    return layer


def _spelling(config: Config, data: Data) -> keras.Model:
    """From the characters of words (words, CHARACTERS) to (words, character_units)."""
    size, units = len(data.vocabulary.characters) + 2, config.character_units
    if config.characters == "cnn":
        layers = [
            keras.layers.Embedding(size, _CHARACTER_SIZE),
            keras.layers.Conv1D(units, 3, padding="same", activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
        ]
    else:
        layers = [
            keras.layers.Embedding(size, _CHARACTER_SIZE, mask_zero=True),
            Bidirectional(RNN(LSTMCell(units // 2))),
        ]
    return keras.Sequential([keras.Input((CHARACTERS,), dtype="int32"), *layers])


def _optimizer(config: Config) -> keras.optimizers.Optimizer:
    common = {
        "learning_rate": config.learning_rate,
        "weight_decay": config.weight_decay,
        "global_clipnorm": config.clip_norm,
        "use_ema": config.ema is not None,
        "ema_momentum": config.ema or 0.0,
    }
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(momentum=0.9, **common)
    return keras.optimizers.AdamW(**common)
