"""PointerGenerator: the paper's equation, extreme inputs, learning."""

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import RNN, GRUCell
from seqkit.attention import LuongAttention, PointerGenerator
from seqkit.testing.case import Case, weighted_sum
from tests.reference import attention as reference

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.standard_normal((2, 3, 7)).astype("float32")
QUERY = RANDOM.standard_normal((2, 3, 4)).astype("float32")
WEIGHTS = RANDOM.dirichlet(np.ones(5), (2, 3)).astype("float32")
SOURCE = np.array([[1, 6, 1, 1, 0], [2, 3, 3, 5, 2]], "int32")  # with repeated words
LAYER = PointerGenerator()
LAYER(LOGITS, QUERY, WEIGHTS, SOURCE)
LAYER.bias.assign([0.3])


def log_p(logits=LOGITS, query=QUERY, weights=WEIGHTS, source=SOURCE):
    return ops.convert_to_numpy(LAYER(logits, query, weights, source))


def test_it_is_the_papers_mixture():
    w, b = (ops.convert_to_numpy(weight) for weight in (LAYER.kernel, LAYER.bias))
    p = np.exp(log_p())
    for row in range(2):
        for t in range(3):
            args = LOGITS[row, t], QUERY[row, t], WEIGHTS[row, t], SOURCE[row]
            expected = reference.pointer_generator(*args, w[:, 0], b[0])
            np.testing.assert_allclose(p[row, t], expected, rtol=1e-5)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-5)


def test_a_single_step_equals_one_of_many():
    for t in range(3):
        single = log_p(LOGITS[:, t], QUERY[:, t], WEIGHTS[:, t])
        np.testing.assert_allclose(single, log_p()[:, t], rtol=1e-5)


def test_positions_without_weight_are_never_copied():
    hidden = np.where(np.arange(5) < 2, WEIGHTS, 0).astype("float32")
    other = np.where(np.arange(5) < 2, SOURCE, 4).astype("int32")
    np.testing.assert_allclose(
        log_p(weights=hidden), log_p(weights=hidden, source=other), rtol=1e-5
    )
    # With nothing to copy, only the vocabulary counts, and nothing becomes NaN.
    w, b = ops.convert_to_numpy(LAYER.kernel), ops.convert_to_numpy(LAYER.bias)
    alone = ops.log_sigmoid(QUERY @ w + b) + ops.log_softmax(LOGITS)
    np.testing.assert_allclose(log_p(weights=0 * WEIGHTS), alone, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e4, -1e4])
@pytest.mark.parametrize("what", ["logits", "query", "weights"])
def test_extreme_inputs_stay_finite(what, scale):
    inputs = {"logits": LOGITS, "query": QUERY, "weights": WEIGHTS, "source": SOURCE}
    if what == "weights":  # all on one position, or on none
        inputs["weights"] = np.float32(scale > 0) * np.eye(5, dtype="float32")[:3] + 0 * WEIGHTS
    else:
        inputs[what] = scale * inputs[what]
    assert np.isfinite(log_p(**inputs)).all()
    case = Case(lambda: LAYER, inputs.pop("logits"), inputs)
    for gradient in case.gradients(LAYER, weighted_sum):
        assert np.isfinite(gradient).all()


def test_gradients_are_those_of_finite_differences():
    """Includes gradients of the weights, with words at several positions."""

    class Weighed(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(shape=WEIGHTS.shape, name="w")
            self.w.assign(WEIGHTS)

        def call(self, logits):
            return LAYER(logits, QUERY, self.w, SOURCE)

    layer = Weighed()
    case = Case(lambda: layer, LOGITS)
    found = case.gradients(layer, weighted_sum)[0]
    assert found.shape == WEIGHTS.shape
    step = 1e-3
    for index in [(0, 0, 0), (0, 1, 2), (1, 2, 4), (1, 0, 1)]:
        change = np.zeros_like(WEIGHTS)
        change[index] = step
        up, down = (
            float(weighted_sum(LAYER(LOGITS, QUERY, WEIGHTS + sign * change, SOURCE)))
            for sign in (1, -1)
        )
        np.testing.assert_allclose(found[index], (up - down) / (2 * step), rtol=1e-2, atol=1e-3)


def test_words_unseen_in_training_are_copied():
    """Half of the vocabulary occurs only in the test data."""
    keras.utils.set_random_seed(1)
    words, length = 20, 5
    source = keras.Input((length,), dtype="int32")
    late = keras.Input((length,), dtype="int32")
    place = keras.Input((length, length))
    embedding = keras.layers.Embedding(words, 8)
    memory = ops.concatenate([embedding(source), place], axis=-1)
    read = RNN(GRUCell(16), return_sequences=True)(
        ops.concatenate([embedding(late), place], axis=-1)
    )
    a = LuongAttention("general", return_weights=True)(read, memory)[1]
    log_p = PointerGenerator()(keras.layers.Dense(words)(read), read, a, source)
    model = keras.Model([source, late, place], log_p)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.learning_rate = 0.02

    def batch(low, high, seed):
        ids = np.random.default_rng(seed).integers(low, high, (256, length)).astype("int32")
        places = np.broadcast_to(np.eye(length, dtype="float32"), (256, length, length))
        return [ids, np.pad(ids, ((0, 0), (1, 0)))[:, :-1], places], ids

    for step in range(200):
        model.train_on_batch(*batch(0, words // 2, step))
    inputs, ids = batch(words // 2, words, 1000)
    assert (model.predict_on_batch(inputs).argmax(axis=-1) == ids).mean() > 0.98
