import keras
import numpy as np
import pytest

from apps.tagger.config import Config
from apps.tagger.data import Data
from apps.tagger.model import WordDropout, build
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary
from datasets.columns import Sentence

SENTENCES = [Sentence(["a", "b", "c"], ["X", "Y", "X"]), Sentence(["b"] * 12, ["Y"] * 12)]


def make(**changes):
    config = Config(
        units=4, embedding_size=3, dropout=0, word_dropout=0, min_count=1, batch_size=2, **changes
    )
    data = Data(config, SENTENCES, SENTENCES, Vocabulary.of(SENTENCES, 1))
    return build(config, data), data


def test_word_dropout_hides_words_in_training_only():
    ids = np.array([[PADDING, 5] * 5_000])
    layer = WordDropout(0.1, seed=0)
    assert (layer(ids, training=False) == ids).numpy().all()
    dropped = layer(ids, training=True).numpy()
    assert (dropped[ids == PADDING] == PADDING).all()
    assert set(dropped[ids == 5]) == {5, UNKNOWN}
    assert 0.08 < (dropped[ids == 5] == UNKNOWN).mean() < 0.12


def test_the_loss_is_the_mean_over_the_real_words():
    model, data = make()
    total, count = 0.0, 0
    for words, tags, weights in data.dev_batches():
        losses = keras.ops.sparse_categorical_crossentropy(tags, model(words), from_logits=True)
        batch_total = float(np.sum(losses.numpy() * weights.numpy()))
        expected = batch_total / weights.numpy().sum()
        assert model.test_on_batch(words, tags, weights)[0] == pytest.approx(expected, rel=1e-5)
        model.reset_metrics()
        total, count = total + batch_total, count + weights.numpy().sum()
    assert count == 15
    assert 0.3 < total / count < 1.5  # two tags, untrained: about log 2


def test_padding_changes_no_logits():
    model, _ = make(layers=2)
    short = model(np.array([[2, 3, 4]])).numpy()
    long = model(np.array([[2, 3, 4, 0, 0, 0], [3, 3, 3, 3, 3, 3]])).numpy()
    np.testing.assert_allclose(long[:1, :3], short, rtol=1e-5, atol=1e-6)


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
    assert model.layers[-2].compute_dtype == "bfloat16"
    assert model(np.array([[2, 3]])).dtype == "float32"


@pytest.mark.slow
def test_jit_stays_on():
    model, data = make(jit=True)
    losses = [
        model.train_on_batch(*batch)[0] for epoch in range(2) for batch in data.batches(epoch)
    ]
    assert model.jit_compile is True
    assert np.isfinite(losses).all()
