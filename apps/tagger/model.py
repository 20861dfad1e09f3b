"""The network: features of each word, bidirectional LSTMs, a score for each tag."""

import keras
import numpy as np
from keras import ops

from apps.tagger.config import Config
from apps.tagger.data import NEIGHBORS, NO_TAG, Data, input_names
from apps.tagger.features import CASINGS, CHARACTERS
from apps.tagger.vocabulary import PADDING, UNKNOWN
from seqkit import CRF, RNN, Bidirectional, LSTMCell, crf_loss, transition_constraints
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Tensor

_CASING_SIZE = 8
_CHARACTER_SIZE = 32
_LANGUAGE_MODEL_SIZE = 50  # of the layer that predicts neighboring words


@keras.saving.register_keras_serializable("apps.tagger")
class WordDropout(ConfigFromSignature, keras.layers.Layer):
    """Dropout that replaces random words with the unknown word, in training only.

    Args:
        rate: Share of the words, in [0, 1).
        seed: Random seed.
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


@keras.saving.register_keras_serializable("apps.tagger")
class EachWord(ConfigFromSignature, keras.layers.Layer):
    """Wrapper that applies a layer to each word: (batch, length, ...) as (batch * length, ...).

    Args:
        layer: Layer from (words, ...) to (words, units).
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


@keras.saving.register_keras_serializable("apps.tagger")
def crf_loss_per_word(tags: Tensor, potentials: Tensor) -> Tensor:
    """Compute the CRF loss, scaled so that its mean over sentences is the mean over words."""
    words = ops.sum(ops.cast(tags != NO_TAG, "float32"))
    sentences = ops.cast(ops.shape(tags)[0], "float32")
    return crf_loss(tags, potentials) * sentences / ops.maximum(words, 1.0)


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model, from a dict of ids to a dict of scores, one per training target.

    `tags` are logits (batch, length, tags), or, with a CRF, potentials (batch, length, tags, tags).
    """
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in input_names(config)}
    is_word = ops.not_equal(inputs["words"], PADDING)
    x = _features(config, data, inputs)
    x, outputs = _encoder(config, x, is_word)
    weights = dict.fromkeys(outputs, config.language_model)
    x = keras.layers.Dropout(config.output_dropout)(x)

    tags, *auxiliary = data.vocabulary.tags, *data.vocabulary.auxiliary
    labels = {"tags": tags, **{f"auxiliary_{i}": names for i, names in enumerate(auxiliary)}}
    for name, names in labels.items():
        outputs[name] = keras.layers.Dense(len(names), dtype="float32", name=name)(x)
        weights[name] = 1.0
    losses = {
        name: keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=NO_TAG)
        for name in outputs
    }
    if config.output == "crf":
        constraints = transition_constraints(tags, "IOBES") if data.vocabulary.scheme else None
        outputs["tags"] = CRF(len(tags), constraints, name="crf")(outputs["tags"], mask=is_word)
        losses["tags"] = crf_loss_per_word
    model = keras.Model(inputs, outputs, name="tagger")
    model.compile(_optimizer(config), loss=losses, loss_weights=weights, jit_compile=config.jit)
    return model


def _features(config: Config, data: Data, inputs: dict) -> keras.KerasTensor:
    """Concatenate the vectors of each word; adds the input `characters` if the model has it."""
    features = [
        keras.layers.Embedding(data.vocabulary.size, config.embedding_size)(
            WordDropout(config.word_dropout)(inputs["words"])
        )
    ]
    if config.vectors:
        features.append(_pretrained(data)(inputs["vectors"]))
    if config.casing:
        features.append(keras.layers.Embedding(CASINGS, _CASING_SIZE)(inputs["casing"]))
    if config.characters != "none":
        characters = keras.Input((None, CHARACTERS), dtype="int32", name="characters")
        inputs["characters"] = characters
        features.append(EachWord(_spelling(config, data))(characters))
    return keras.layers.Concatenate()(features) if len(features) > 1 else features[0]


def _encoder(
    config: Config, x: keras.KerasTensor, is_word: keras.KerasTensor
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """Encode sentences; also returns the logits of the language model, if there is one."""
    outputs = {}
    for layer in range(config.layers):
        cell = LSTMCell(
            config.units, dropout=config.dropout, recurrent_dropout=config.recurrent_dropout
        )
        x = Bidirectional(RNN(cell, return_sequences=True))(x, mask=is_word)
        if layer == 0 and config.language_model:
            # Each direction separately: the other one has already read the word to predict.
            directions = {
                "next_word": x[..., : config.units],
                "previous_word": x[..., config.units :],
            }
            for name, h in directions.items():
                m = keras.layers.Dense(_LANGUAGE_MODEL_SIZE, activation="tanh")(h)
                outputs[name] = keras.layers.Dense(NEIGHBORS, dtype="float32", name=name)(m)
    return x, outputs


def _pretrained(data: Data) -> keras.layers.Layer:
    """Return a frozen embedding of the pretrained vectors; a word without one has zeros."""
    count, width = data.vectors.shape
    layer = keras.layers.Embedding(count + 2, width, trainable=False, name="pretrained")
    layer.build()
    layer.set_weights([np.concatenate([np.zeros((2, width), "float32"), data.vectors])])
    return layer


def _spelling(config: Config, data: Data) -> keras.Model:
    """Build the model from characters (words, CHARACTERS) to (words, character_units)."""
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
