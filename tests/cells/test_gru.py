import keras
import numpy as np
import pytest

from seqkit import GRUCell
from tests.cells import numerics
from tests.reference import gru


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
def test_it_computes_the_papers_equations(reset_after, use_bias):
    cell = GRUCell(3, reset_after=reset_after, use_bias=use_bias, dtype="float64")
    rnn = numerics.random_rnn(cell, return_sequences=True)
    states = numerics.random_states(cell)
    w = numerics.arrays(cell)
    b, d = w.get("bias", np.zeros((2, 9))) if reset_after else (w.get("bias", 0.0), None)
    wanted = gru.unfold(
        numerics.RANDOM_INPUTS, *states, U=w["kernel"], W=w["recurrent_kernel"], b=b, d=d
    )
    found = rnn(numerics.RANDOM_INPUTS, initial_state=states)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("reset_after", [False, True])
def test_gradients_equal_finite_differences(reset_after):
    cell = GRUCell(3, reset_after=reset_after, dtype="float64")
    numerics.assert_gradients_equal_finite_differences(
        numerics.random_rnn(cell, return_sequences=True, return_state=True)
    )


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_keras_with_the_same_weights(masked, go_backwards, reset_after):
    kwargs = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    rnn = numerics.random_rnn(GRUCell(3, reset_after=reset_after), **kwargs)
    keras_gru = keras.layers.GRU(3, reset_after=reset_after, **kwargs)
    keras_gru(numerics.RANDOM_INPUTS)
    keras_gru.set_weights(rnn.get_weights())
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool) if masked else None
    for ours, theirs in zip(
        rnn(numerics.RANDOM_INPUTS, mask=mask),
        keras_gru(numerics.RANDOM_INPUTS, mask=mask),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("reset_after", [False, True])
def test_it_learns_to_remember(reset_after):
    keras.utils.set_random_seed(0)
    model = numerics.classifier(GRUCell(32, reset_after=reset_after))
    assert numerics.accuracy_on_first_symbol(model) > 0.95
