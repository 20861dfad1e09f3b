import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import sparse_categorical_crossentropy

from apps.common.batching import pad
from apps.tagger.config import Config
from apps.tagger.data import NO_TAG, Data, input_names
from apps.tagger.decoding import best_tags, tag_probabilities
from apps.tagger.features import Features
from apps.tagger.model import EachWord, WordDropout, build
from apps.tagger.spans import scheme_of
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary
from datasets.formats.columns import Sentence
from seqkit import crf_loss

SENTENCES = [
    Sentence(["a", "b", "c"], ["X", "Y", "X"], (["1", "2", "1"],)),
    Sentence(["b"] * 12, ["Y"] * 12, (["2"] * 12,)),
]
EVERYTHING = {"casing": True, "characters": "cnn", "character_units": 4, "output": "crf"}


def make(**changes):
    keras.utils.set_random_seed(1)
    config = Config(
        units=4, embedding_size=3, dropout=0, word_dropout=0, min_count=1, batch_size=2, **changes
    )
    data = Data(config, SENTENCES, SENTENCES, Vocabulary.of(SENTENCES, 1))
    return build(config, data), data


def inputs(data, words):
    return Features(data.vocabulary, input_names(data.config))(
        tf.constant(pad(words, ""), tf.string)
    )


def test_word_dropout_hides_words_in_training_only():
    ids = np.array([[PADDING, 5] * 5_000])
    layer = WordDropout(0.1, seed=0)
    assert (layer(ids, training=False) == ids).numpy().all()
    dropped = layer(ids, training=True).numpy()
    assert (dropped[ids == PADDING] == PADDING).all()
    assert set(dropped[ids == 5]) == {5, UNKNOWN}
    assert 0.08 < (dropped[ids == 5] == UNKNOWN).mean() < 0.12


@pytest.mark.parametrize("output", ["softmax", "crf"])
def test_the_loss_is_the_mean_over_real_words_summed_over_targets(output):
    model, data = make(output=output)
    count = 0
    for features, targets in data.batches(1):
        scores, tags = model(features), targets["tags"].numpy()
        auxiliary = targets["auxiliary_0"].numpy()
        real = tags != NO_TAG
        of_auxiliary = sparse_categorical_crossentropy(
            np.maximum(auxiliary, 0), scores["auxiliary_0"], from_logits=True
        ).numpy()
        if output == "crf":
            of_tags = crf_loss(tags, scores["tags"]).numpy()
        else:
            of_tags = sparse_categorical_crossentropy(
                np.maximum(tags, 0), scores["tags"], from_logits=True
            ).numpy()[real]
        expected = (of_tags.sum() + of_auxiliary[real].sum()) / real.sum()
        loss = model.test_on_batch(features, targets, return_dict=True)["loss"]
        assert loss == pytest.approx(expected, rel=1e-5)
        assert 0.5 < loss < 3  # two targets of two tags, untrained: about 2 log 2
        model.reset_metrics()
        count += real.sum()
    assert count == 15


@pytest.mark.parametrize(
    "changes", [{"layers": 2}, EVERYTHING, {**EVERYTHING, "output": "softmax"}]
)
def test_padding_does_not_change_the_tags(changes):
    model, data = make(**changes)
    short = tag_probabilities(model(inputs(data, [["a", "b", "c"]]))["tags"]).numpy()
    both = inputs(data, [["a", "b", "c"], ["b"] * 6])
    long = tag_probabilities(model(both)["tags"]).numpy()
    np.testing.assert_allclose(long[:1, :3], short, rtol=1e-5, atol=1e-6)


def test_every_feature_of_a_word_affects_the_scores():
    model, data = make(**EVERYTHING)
    for one, other in ("a", "A"), ("abb", "bab"), ("zyx", "a"):
        scores = [model(inputs(data, [[word]]))["tags"].numpy() for word in (one, other)]
        assert np.abs(scores[0] - scores[1]).max() > 1e-4
    model, data = make()
    scores = [model(inputs(data, [[word]]))["tags"].numpy() for word in ("a", "A")]
    assert (scores[0] == scores[1]).all()


@pytest.mark.parametrize("characters", ["cnn", "lstm"])
def test_the_spelling_of_each_word_is_encoded_separately(characters):
    model, data = make(characters=characters, character_units=6)
    layer = next(layer for layer in model.layers if isinstance(layer, EachWord))
    spelled = layer(inputs(data, [["a", "b"], ["b", ""]])["characters"]).numpy()
    assert spelled.shape == (2, 2, 6)
    np.testing.assert_allclose(spelled[0, 1], spelled[1, 0], atol=1e-6)
    assert np.abs(spelled[0, 0] - spelled[0, 1]).max() > 1e-3


def test_pretrained_vectors_are_used_and_not_trained():
    config = Config(vectors="file", batch_size=2, units=4)
    vectors = np.array([[1, 2, 3], [4, 5, 6]], "float32")
    data = Data(config, SENTENCES, SENTENCES, Vocabulary.of(SENTENCES, 1, ["b", "zyx"]), vectors)
    model = build(config, data)
    layer = model.get_layer("pretrained")
    np.testing.assert_array_equal(layer(np.array([[0, 1, 2, 3]]))[0, 1:], [[0] * 3, *vectors])
    model.train_on_batch(*next(iter(data.batches(1))))
    np.testing.assert_array_equal(layer(np.array([[2, 3]]))[0], vectors)
    scores = [model(inputs(data, [[word]]))["tags"].numpy() for word in ("zyx", "other")]
    assert np.abs(scores[0] - scores[1]).max() > 1e-4  # neither occurs in training


def test_a_crf_over_spans_only_predicts_well_formed_tags():
    sentences = [Sentence(["a", "b", "c", "d"], ["B-X", "I-X", "O", "B-Y"])]
    config = Config(output="crf", units=4)
    data = Data(config, sentences, sentences, Vocabulary.of(sentences, 1))
    model, random = build(config, data), np.random.default_rng(0)
    for weights in model.trainable_variables:  # large ones, so that all tags are predicted
        weights.assign(random.normal(0, 2, weights.shape))
    words = random.integers(1, 6, (50, 9))
    tags = np.array(data.vocabulary.tags)[best_tags(model({"words": words})["tags"]).numpy()]
    assert len(set(tags.flatten())) > 3
    for row in tags.tolist():
        scheme_of([row, ["S-X"]])  # raises if it is not IOBES


@pytest.mark.parametrize(("optimizer", "learning_rate"), [("adamw", 0.05), ("sgd", 0.5)])
def test_optimizers(optimizer, learning_rate):
    model, data = make(optimizer=optimizer, learning_rate=learning_rate)
    batch = next(iter(data.batches(1)))
    losses = [model.train_on_batch(*batch)[0] for _ in range(40)]
    assert type(model.optimizer).__name__.lower() == optimizer
    assert np.mean(losses[-2:]) < 0.7 * np.mean(losses[:2])


def test_layers_and_average_are_as_configured():
    model, _ = make(layers=3, ema=None)
    assert sum("bidirectional" in layer.name for layer in model.layers) == 3
    assert not model.optimizer.use_ema
    model, _ = make(ema=0.9)
    assert model.optimizer.use_ema
    assert model.optimizer.ema_momentum == 0.9


def test_mixed_precision_keeps_the_logits_in_float32():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, _ = make()
    finally:
        keras.config.set_dtype_policy(before)
    assert any(layer.compute_dtype == "bfloat16" for layer in model.layers)
    assert model({"words": np.array([[2, 3]])})["tags"].dtype == "float32"


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, EVERYTHING, {**EVERYTHING, "characters": "lstm"}])
def test_jit_stays_on(changes):
    model, data = make(jit=True, **changes)
    losses = [
        model.train_on_batch(*batch)[0] for epoch in range(2) for batch in data.batches(epoch)
    ]
    assert model.jit_compile is True
    assert np.isfinite(losses).all()


def test_no_direction_reads_the_word_it_predicts():
    model, data = make(language_model=0.1, layers=2)
    one = model(inputs(data, [["a", "b", "c", "a"]]))
    other = model(inputs(data, [["a", "b", "b", "a"]]))  # another third word
    difference = {name: np.abs(one[name] - other[name])[0].max(axis=-1) for name in one}
    assert (difference["next_word"][:2] == 0).all()  # position 1 predicts the word that differs
    assert difference["next_word"][2] > 1e-6
    assert (difference["previous_word"][3:] == 0).all()
    assert difference["previous_word"][1] > 1e-6
    assert difference["tags"].min() > 1e-6
