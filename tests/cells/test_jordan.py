import keras
import numpy as np
import pytest

from seqkit import RNN, JordanCell
from tests.cells import numerics
from tests.reference import jordan


@pytest.mark.parametrize(
    ("activation", "g"), [(None, lambda o: o), ("softmax", jordan.softmax), ("tanh", np.tanh)]
)
def test_it_computes_the_equations(activation, g):
    cell = JordanCell(6, output_units=2, output_activation=activation, dtype="float64")
    rnn = numerics.random_rnn(cell, return_sequences=True)
    states = numerics.random_states(cell)
    w = numerics.arrays(cell)
    wanted = jordan.unfold(
        numerics.RANDOM_INPUTS,
        *states,
        U=w["kernel"],
        W=w["recurrent_kernel"],
        b=w["bias"],
        V=w["output_kernel"],
        c=w["output_bias"],
        g=g,
    )
    found = rnn(numerics.RANDOM_INPUTS, initial_state=states)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_its_only_state_is_its_output():
    cell = JordanCell(6, output_units=2)
    output, state = RNN(cell, return_state=True)(numerics.RANDOM_INPUTS)
    assert cell.state_size == [2]
    np.testing.assert_array_equal(output, state)


def test_gradients_equal_finite_differences():
    cell = JordanCell(6, output_units=2, output_activation="tanh", dtype="float64")
    numerics.assert_gradients_equal_finite_differences(
        numerics.random_rnn(cell, return_sequences=True, return_state=True)
    )


@pytest.mark.slow
def test_it_learns_to_remember_in_its_outputs():
    keras.utils.set_random_seed(0)
    model = numerics.classifier(JordanCell(32, output_units=16))
    assert numerics.accuracy_on_first_symbol(model) > 0.95
