"""Decoder inputs: schedules, scheduled sampling, and the cost of free-running."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax

from seqkit.decoding import greedy, score
from seqkit.diagnostics import exposure_bias
from seqkit.training import constant, exponential, inverse_sigmoid, linear, scheduled_sampling
from tests.decoding.toy import BOS, Toy, compiled, to_numpy

TOKENS = np.array([[2, 0, 1, 2], [1, 1, 0, 2], [0, 2, 2, 1]], "int32")


def fed(toy, probability, tokens=TOKENS, state=None, seed=0):
    return scheduled_sampling(
        toy.step,
        tokens,
        toy.state if state is None else state,
        toy.constants,
        bos_id=BOS,
        probability=probability,
        seed=seed,
    )


@pytest.mark.parametrize(
    ("schedule", "at"),
    [
        (constant(0.3), {0: 0.3, 1000: 0.3}),
        (linear(0.01, start=0.9, floor=0.2), {0: 0.9, 10: 0.8, 69: 0.21, 1000: 0.2}),
        (exponential(0.99), {0: 1.0, 100: 0.99**100}),
        (inverse_sigmoid(50.0), {0: 50 / 51, 200: 50 / (50 + np.exp(4)), 10**6: 0.0}),
    ],
)
def test_schedules_are_the_papers(schedule, at):
    for step, wanted in at.items():
        for given in (step, ops.convert_to_tensor(step, "int64")):  # like an optimizer's counter
            np.testing.assert_allclose(ops.convert_to_numpy(schedule(given)), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: constant(1.2), "probability is 1.2"),
        (lambda: linear(0.0), "slope is 0.0"),
        (lambda: linear(0.1, floor=-1.0), "floor is -1.0"),
        (lambda: exponential(1.0), "0 < k < 1"),
        (lambda: inverse_sigmoid(0.5), "k >= 1"),
    ],
)
def test_bad_schedules_get_a_clear_error(make, line):
    with pytest.raises(ValueError, match=line):
        make()


def test_with_probability_1_it_is_teacher_forcing():
    toy = Toy(rows=3, seed=1)
    log_p = ops.convert_to_numpy(fed(toy, 1.0))
    picked = np.take_along_axis(log_p, TOKENS[..., None], axis=2)[..., 0]
    forced = to_numpy(score(toy.step, TOKENS, toy.state, toy.constants, bos_id=BOS))
    np.testing.assert_allclose(picked, forced.log_probabilities, rtol=1e-5)


def test_with_probability_0_it_is_fed_its_own_samples():
    """The second step's distribution is a mixture over the tokens that the first one drew."""
    toy = Toy(rows=1, seed=2, scale=0.7)
    many = 20_000
    tokens = np.repeat(TOKENS[:1], many, axis=0)
    step = toy.numpy_step(0)
    p, h, _ = step(BOS, toy.h[0])
    wanted = [np.log(step(token, h)[0]) for token in range(3)]
    for name in ("h", "c", "mask"):
        setattr(toy, name, np.repeat(getattr(toy, name), many, axis=0))
    toy.rows = many
    for probability in (0.0, 0.4):
        second = ops.convert_to_numpy(fed(toy, probability, tokens))[:, 1]
        which = np.argmin(
            [np.abs(second - conditional).sum(axis=1) for conditional in wanted], axis=0
        )
        np.testing.assert_allclose(second, np.array(wanted)[which], atol=1e-4)
        share = np.bincount(which, minlength=3) / many
        gold = np.eye(3)[TOKENS[0, 0]]
        np.testing.assert_allclose(share, probability * gold + (1 - probability) * p, atol=0.015)


def test_exposure_bias_compares_two_prefixes():
    toy = Toy(rows=3, vocabulary=4, seed=3)
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]], bool)
    tokens = np.where(mask, TOKENS, 99)
    found = to_numpy(
        exposure_bias(toy.step, tokens, toy.state, toy.constants, bos_id=BOS, mask=mask)
    )
    for row in range(3):
        step = toy.numpy_step(row)
        for loss, accuracy, own in (
            (found.forced_loss, found.forced_accuracy, False),
            (found.free_loss, found.free_accuracy, True),
        ):
            last, h = BOS, toy.h[row]
            for t in range(mask[row].sum()):
                p, h, _ = step(last, h)
                np.testing.assert_allclose(loss[row, t], -np.log(p[tokens[row, t]]), rtol=1e-4)
                assert accuracy[row, t] == (p.argmax() == tokens[row, t])
                last = p.argmax() if own else tokens[row, t]
    for values in found:
        assert not values[~mask].any()


def test_on_its_own_output_a_model_has_no_exposure_bias():
    toy = Toy(rows=3, seed=4)
    toy.lengths[:] = 4
    own = greedy(
        toy.step, toy.state, toy.constants, bos_id=BOS, length=toy.length("predicted"), max_length=4
    )
    found = to_numpy(exposure_bias(toy.step, own.tokens, toy.state, toy.constants, bos_id=BOS))
    np.testing.assert_allclose(found.forced_loss, found.free_loss, rtol=1e-6)
    assert (found.free_accuracy == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("probability", [1.0, 0.3])
def test_a_decoder_learns_with_either_input(probability):
    """A table of logits, indexed by the previous token; each token is followed by its successor."""

    class Decoder(keras.layers.Layer):
        def build(self, tokens_shape):
            self.table = self.add_weight(shape=(5, 5), initializer="zeros", name="table")
            self.seed = keras.random.SeedGenerator(0)

        def call(self, tokens):
            def step(last, state, constants):
                return ops.log_softmax(ops.take(self.table, last, axis=0), axis=-1), state

            state = ops.zeros((ops.shape(tokens)[0], 1))
            return scheduled_sampling(
                step, tokens, state, bos_id=0, probability=probability, seed=self.seed
            )

    def loss(tokens, log_p):
        return -ops.take_along_axis(log_p, ops.cast(tokens, "int32")[..., None], axis=2)

    keras.utils.set_random_seed(0)
    tokens = np.tile([1, 2, 3, 4], (32, 1)).astype("int32")
    inputs = keras.Input((4,), dtype="int32")
    model = keras.Model(inputs, Decoder()(inputs))
    # Compiled in one case: both compile the same loop. JAX is slow without.
    jit = probability < 1 or keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(0.5), loss, jit_compile=jit)
    model.fit(tokens, tokens, batch_size=32, epochs=40, verbose=0)
    table = model.get_weights()[0]
    np.testing.assert_array_equal(table.argmax(axis=1)[:4], [1, 2, 3, 4])
    assert log_softmax(table, axis=1)[range(4), [1, 2, 3, 4]].min() > np.log(0.9)


def test_compiled_teacher_forcing_is_the_same():
    toy = Toy(rows=3, seed=5)
    xla = compiled(lambda state: fed(toy, 1.0, state=state))(toy.state)
    np.testing.assert_allclose(
        ops.convert_to_numpy(xla), ops.convert_to_numpy(fed(toy, 1.0)), rtol=1e-5, atol=1e-5
    )
