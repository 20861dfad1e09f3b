"""A CRF in Keras: functional models that return tags, weights of tokens, accuracy."""

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import (
    CRF,
    CRFAccuracy,
    CRFLoss,
    crf_loss,
    log_partition,
    log_potentials,
    marginals,
    n_best,
    path_score,
    viterbi,
)

TAGS, TIME = 3, 4
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 0]], bool)


def to_numpy(nest):
    return keras.tree.map_structure(ops.convert_to_numpy, nest)


def some_scores(batch=2):
    return np.random.default_rng(0).normal(size=(batch, TIME, TAGS)).astype("float32")


def a_model():
    """Return a functional model of every function of potentials, and the same without Keras."""
    scores = keras.Input((None, TAGS))
    mask = keras.Input((None,), dtype="bool")
    tags = keras.Input((None,), dtype="int32")
    potentials = CRF(TAGS, name="crf")(scores, mask=mask)
    outputs = {
        "viterbi": viterbi(potentials),
        "n_best": n_best(potentials, np.int64(2)),
        "n_best by name": n_best(potentials, n=3),
        "marginals": marginals(potentials),
        "log_partition": log_partition(potentials),
        "path_score": path_score(tags, potentials),
        "crf_loss": crf_loss(tags, potentials=potentials),
        "without a layer": viterbi(log_potentials(scores, mask)),
    }
    return keras.Model([scores, mask, tags], outputs)


def test_functions_of_symbols_are_those_of_tensors():
    model = a_model()
    tags = np.array([[0, 1, 2, 1], [1, -9, 2, 9]])
    found = to_numpy(model([some_scores(), MASK, tags]))
    potentials = model.get_layer("crf")(some_scores(), mask=MASK)
    wanted = {
        "viterbi": viterbi(potentials),
        "n_best": n_best(potentials, 2),
        "n_best by name": n_best(potentials, 3),
        "marginals": marginals(potentials),
        "log_partition": log_partition(potentials),
        "path_score": path_score(tags, potentials),
        "crf_loss": crf_loss(tags, potentials),
        "without a layer": viterbi(log_potentials(some_scores(), MASK)),
    }
    keras.tree.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, to_numpy(wanted)
    )
    shapes = keras.tree.map_structure(lambda x: x.shape, model.output)
    assert shapes["viterbi"] == ((None, None), (None,))
    assert shapes["n_best"] == ((None, 2, None), (None, 2))


@pytest.mark.slow
def test_a_model_that_returns_tags_is_saved_loaded_and_exported(tmp_path):
    keras.utils.clear_session()
    model = a_model()
    inputs = [some_scores(), MASK, np.zeros((2, TIME), "int32")]
    model.save(tmp_path / "tags.keras")
    np.savez(tmp_path / "wanted.npz", *keras.tree.flatten(to_numpy(model(inputs))))
    code = f"""
import keras, numpy as np, seqkit
model = keras.saving.load_model("{tmp_path}/tags.keras")
wanted = np.load("{tmp_path}/wanted.npz").values()
mask = np.array({MASK.tolist()})
scores = np.random.default_rng(0).normal(size=(2, {TIME}, {TAGS})).astype("float32")
outputs = model([scores, mask, np.zeros((2, {TIME}), "int32")])
for a, b in zip(keras.tree.flatten(outputs), wanted, strict=True):
    np.testing.assert_allclose(keras.ops.convert_to_numpy(a), b, rtol=1e-5)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tags = keras.Model(model.inputs[:2], model.output["viterbi"][0])
        tags.export(tmp_path / "export", verbose=False)
        served = tf.saved_model.load(tmp_path / "export")
        for time in (TIME, 0):
            scores, mask = some_scores()[:, :time], MASK[:, :time]
            found = served.serve([tf.constant(scores), tf.constant(mask)])
            np.testing.assert_array_equal(found, tags([scores, mask]))


def test_a_tag_that_is_unknown_is_summed_over():
    """The likelihood of the known tags, against an enumeration of all completions."""
    potentials = log_potentials(
        some_scores(1), transitions=np.random.default_rng(1).normal(size=(TAGS, TAGS))
    )
    tags, known = np.array([[2, -1, 7, 0]]), np.array([[1, 0, 0, 1]], bool)
    losses = [
        crf_loss(np.array([[2, *middle, 0]]), potentials)
        for middle in itertools.product(range(TAGS), repeat=2)
    ]
    want = -np.log(np.sum(np.exp(-np.array(to_numpy(losses)))))
    got = CRFLoss()(tags, potentials, sample_weight=known)
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-5)


def test_weights_multiply_each_tokens_share_of_the_loss():
    potentials = CRF(TAGS)(some_scores(), mask=MASK)  # independent steps: the weights are zeros
    tags, weights = np.zeros((2, TIME), int), np.array([[1, 2, 3, 0.5], [4, 9, 5, 9]])
    scores = some_scores().astype("float64")
    share = np.log(np.exp(scores).sum(axis=-1)) - scores[..., 0]
    got = CRFLoss(reduction="none")(tags, potentials, sample_weight=weights)
    np.testing.assert_allclose(to_numpy(got), (share * weights * MASK).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("weights", [None, np.array([2.0, 0.5]), np.full((2, TIME), 3.0)])
def test_equal_weights_of_tokens_are_a_weight_of_the_sequence(weights):
    crf = CRF(TAGS)
    crf.build((None, None, TAGS))
    crf.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in crf.weights])
    potentials, tags = crf(some_scores(), mask=MASK), np.ones((2, TIME), int)
    factor = 1 if weights is None else weights.reshape(2, -1)[:, 0]
    want = np.mean(to_numpy(crf_loss(tags, potentials)) * factor)
    got = CRFLoss()(tags, potentials, sample_weight=weights)
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-5)


def test_accuracy_counts_the_viterbi_tags_of_real_steps():
    potentials = CRF(TAGS)(some_scores(), mask=MASK)
    best = to_numpy(viterbi(potentials)[0])
    tags = np.where(MASK, best, -1)
    tags[0, :2] = (tags[0, :2] + 1) % TAGS  # 4 of 6 are right
    metric = CRFAccuracy()
    metric.update_state(tags, potentials)
    np.testing.assert_allclose(to_numpy(metric.result()), 4 / 6, rtol=1e-6)
    metric.reset_state()
    metric.update_state(tags, potentials, sample_weight=np.array([1, 3]))  # 2 of 4, 2 of 2
    np.testing.assert_allclose(to_numpy(metric.result()), (2 + 2 * 3) / (4 + 2 * 3), rtol=1e-6)
    metric.reset_state()
    metric.update_state(tags, potentials, sample_weight=np.array([[1, 0, 0, 1], [0, 1, 0, 1]]))
    np.testing.assert_allclose(to_numpy(metric.result()), 1 / 2, rtol=1e-6)


@pytest.mark.slow
def test_trains_with_weights_of_tokens_and_accuracy_and_reloads(tmp_path):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 6, TAGS)).astype("float32")
    tags = np.argmax(x, axis=-1)
    known = random.random(tags.shape) < 0.7
    model = keras.Sequential(
        [keras.Input((None, TAGS)), keras.layers.Dense(TAGS), CRF(TAGS, name="crf")]
    )
    model.compile(
        keras.optimizers.Adam(0.1),
        CRFLoss(),
        metrics=[CRFAccuracy()],
        weighted_metrics=[CRFAccuracy(name="of_known")],
    )
    data = np.where(known, tags, -1), known.astype("float32")
    history = model.fit(x, data[0], sample_weight=data[1], epochs=30, verbose=0).history
    assert history["of_known"][-1] > 0.95
    np.testing.assert_allclose(history["accuracy"][-1], known.mean() * 0.98, atol=0.05)
    model.save(tmp_path / "crf.keras")
    again = keras.saving.load_model(tmp_path / "crf.keras")
    first, second = (
        m.evaluate(x, data[0], sample_weight=data[1], verbose=0, return_dict=True)
        for m in (model, again)
    )
    assert first == pytest.approx(second, rel=1e-5)
    assert again.evaluate(x, tags, verbose=0, return_dict=True)["accuracy"] > 0.95


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="needs TensorFlow as well")
def test_jax_exports_a_tagger_with_its_gradients(tmp_path):
    code = f"""
import keras, seqkit
words = keras.Input((None,), dtype="int32")
h = keras.layers.Embedding(10, 4, mask_zero=True)(words)
h = seqkit.Bidirectional(seqkit.RNN(seqkit.GRUCell(3), return_sequences=True))(h)
tags, log_p = seqkit.viterbi(seqkit.CRF(3)(keras.layers.Dense(3)(h)))
keras.Model(words, tags).export({str(tmp_path)!r}, verbose=False)
"""
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": "jax"}, check=True
    )
    assert (tmp_path / "saved_model.pb").exists()
