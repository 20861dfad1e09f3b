import keras
import numpy as np
import pytest

from seqkit import RNN, LSTMCell
from tests.cells import numerics
from tests.reference import lstm

VARIANTS = {
    "plain": {},
    "no_bias": {"use_bias": False},
    "peephole": {"peephole": True},
    "layer_norm": {"layer_norm": True},
    "projection": {"projection_units": 2},
    "coupled": {"coupled": True},
    "coupled_peephole": {"coupled": True, "peephole": True},
    "all": {"coupled": True, "peephole": True, "layer_norm": True, "projection_units": 2},
}


def reference_weights(cell):
    """Return the cell's weights, named by the papers' symbols."""
    arrays = numerics.arrays(cell)
    w = lstm.weights(U=arrays["kernel"], W=arrays["recurrent_kernel"], b=arrays.get("bias", 0.0))
    w.coupled = cell.coupled
    if cell.peephole:
        gates = "fo" if cell.coupled else "ifo"
        w.p = {gate: arrays[f"peephole_{gate}"] for gate in gates}
    if cell.layer_norm:
        norms = (cell.recurrent_norm, cell.kernel_norm, cell.state_norm)
        w.alpha = [keras.ops.convert_to_numpy(norm.gamma) for norm in norms]
        w.beta = keras.ops.convert_to_numpy(cell.state_norm.beta)
    if cell.projection_units:
        w.V = arrays["projection_kernel"]
    return w


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_computes_the_papers_equations(variant):
    cell = LSTMCell(3, dtype="float64", **VARIANTS[variant])
    rnn = numerics.random_rnn(cell, return_sequences=True, return_state=True)
    states = numerics.random_states(cell)
    wanted, c = lstm.unfold(numerics.RANDOM_INPUTS, *states, reference_weights(cell))
    outputs, h_last, c_last = rnn(numerics.RANDOM_INPUTS, initial_state=states)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(h_last, wanted[:, -1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(c_last, c, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_equal_finite_differences(variant):
    cell = LSTMCell(3, dtype="float64", **VARIANTS[variant])
    numerics.assert_gradients_equal_finite_differences(
        numerics.random_rnn(cell, return_sequences=True, return_state=True)
    )


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_keras_with_the_same_weights(masked, go_backwards):
    kwargs = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    rnn = numerics.random_rnn(LSTMCell(3), **kwargs)
    keras_lstm = keras.layers.LSTM(3, **kwargs)
    keras_lstm(numerics.RANDOM_INPUTS)
    keras_lstm.set_weights(rnn.get_weights())
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool) if masked else None
    for ours, theirs in zip(
        rnn(numerics.RANDOM_INPUTS, mask=mask),
        keras_lstm(numerics.RANDOM_INPUTS, mask=mask),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("coupled", "bias"), [(False, [0, 1, 0, 0]), (True, [1, 0, 0])])
def test_the_forget_gate_is_initially_open(coupled, bias):
    cell = LSTMCell(3, coupled=coupled)
    RNN(cell)(numerics.RANDOM_INPUTS)
    np.testing.assert_array_equal(numerics.arrays(cell)["bias"], np.repeat(bias, 3))


def test_without_unit_forget_bias_the_bias_is_initially_zero():
    cell = LSTMCell(3, unit_forget_bias=False)
    RNN(cell)(numerics.RANDOM_INPUTS)
    assert not numerics.arrays(cell)["bias"].any()


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["plain", "all"])
def test_it_learns_to_remember(variant):
    keras.utils.set_random_seed(0)
    kwargs = VARIANTS[variant] | ({"projection_units": 16} if variant == "all" else {})
    model = numerics.classifier(LSTMCell(32, **kwargs))
    assert numerics.accuracy_on_first_symbol(model) > 0.95


@pytest.mark.parametrize("unit_forget_bias", [True, False])
def test_the_initial_bias_is_that_of_keras(unit_forget_bias):
    for initializer in ("zeros", "ones", keras.initializers.RandomNormal(seed=1)):
        kwargs = {"bias_initializer": initializer, "unit_forget_bias": unit_forget_bias}
        ours, theirs = LSTMCell(3, **kwargs), keras.layers.LSTMCell(3, **kwargs)
        for cell in (ours, theirs):
            cell.build((None, 4))
        np.testing.assert_array_equal(ours.bias, theirs.bias)


def test_the_forget_bias_of_a_coupled_cell_is_one():
    cell = LSTMCell(3, coupled=True, bias_initializer=keras.initializers.Constant(0.3))
    cell.build((None, 4))
    np.testing.assert_allclose(cell.bias, [1] * 3 + [0.3] * 6, rtol=1e-6)
