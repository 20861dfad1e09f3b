import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RNN, LSTMCell, NTMCell, StackedCells, Traced
from tests.cells import numerics as cells
from tests.memory import numerics
from tests.reference import ntm

SIZES = {
    "one head": {"memory_size": 6, "word_size": 3},
    "several heads": {"memory_size": 5, "word_size": 3, "num_reads": 2, "num_writes": 2},
    "far shifts": {"memory_size": 7, "word_size": 2, "shift_range": 2},
}


def feed_forward(units=4, **kwargs):
    return keras.layers.Dense(units, activation="tanh", **kwargs)


@pytest.mark.parametrize("sizes", SIZES)
def test_it_computes_the_papers_equations(sizes):
    cell = NTMCell(
        feed_forward(dtype="float64"), **SIZES[sizes], learn_memory=True, dtype="float64"
    )
    rnn = cells.random_rnn(cell, return_sequences=True)
    inputs = cells.RANDOM_INPUTS
    _, first = cell.unpack(rnn.get_initial_state(1))
    w = cells.arrays(cell)
    for row in range(len(inputs)):
        wanted = ntm.unfold(
            inputs[row],
            w["initial_memory"].T,
            np.array(first.read_weighting[0]),
            np.array(first.write_weighting[0]),
            [np.array(v) for v in cell.controller.weights],
            (w["interface_kernel"], w["interface_bias"]),
            cell.word_size,
            2 * cell.shift_range + 1,
        )
        np.testing.assert_allclose(rnn(inputs)[row], wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("controller", [feed_forward, LSTMCell])
def test_gradients_equal_finite_differences(controller):
    cell = NTMCell(controller(2, dtype="float64"), memory_size=3, word_size=2, dtype="float64")
    states = [np.abs(state) for state in cells.random_states(cell)]  # weightings are not negative
    cells.assert_gradients_equal_finite_differences(
        cells.random_rnn(cell, return_sequences=True, return_state=True), states
    )


def test_initial_heads_are_on_slot_0_and_the_memory_is_initialized():
    cell = NTMCell(feed_forward(), 6, 3, num_reads=2, memory_initializer="ones")
    rnn = RNN(cell)
    rnn(np.zeros((2, 1, 3)))
    _, state = cell.unpack(rnn.get_initial_state(2))
    assert np.array(state.read_weighting).argmax(-1).tolist() == [[0, 0], [0, 0]]
    np.testing.assert_allclose(np.array(state.write_weighting).sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(state.memory, np.ones((2, 3, 6)))


@pytest.mark.parametrize("trained", [False, True])
def test_the_initial_memory_can_be_trained(trained):
    cell = NTMCell(feed_forward(), 6, 3, learn_memory=trained)
    RNN(cell)(np.zeros((2, 1, 3)))
    assert ("initial_memory" in [v.name for v in cell.trainable_variables]) is trained


STEPS = numerics.access_steps(NTMCell(feed_forward(), 5, 3, num_reads=2, num_writes=2))
WIDTH = 4 * (3 + 1 + 1 + 3 + 1) + 2 * 6


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.sampled_from(numerics.EXTREMES), min_size=WIDTH, max_size=WIDTH),
                min_size=3, max_size=3))  # fmt: skip
def test_invariants_hold_for_any_interface(interfaces):
    states, gradient = STEPS(np.array(interfaces, "float32")[:, None])
    for state in states:
        for w in (state.read_weighting, state.write_weighting):
            numerics.assert_weighting(w)
            np.testing.assert_allclose(np.array(w).sum(-1), 1, rtol=1e-5)
        assert np.isfinite(state.memory).all() and np.isfinite(state.reads).all()
    assert np.isfinite(gradient).all()


def test_a_trace_holds_the_states():
    cell = NTMCell(feed_forward(), 6, 3, num_reads=2)
    traced = Traced(cell)
    inputs = cells.RANDOM_INPUTS.astype("float32")
    outputs, trace = traced.split(RNN(traced, return_sequences=True)(inputs))
    whole, *states = RNN(cell, return_sequences=True, return_state=True)(inputs)
    np.testing.assert_allclose(outputs, whole, rtol=1e-6)
    for name, last in cell.trace(states).items():
        np.testing.assert_allclose(trace[name][:, -1], last, rtol=1e-6)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_writes_can_be_regularized(return_sequences, masked):
    cell = NTMCell(feed_forward(), 6, 3, add_regularizer=keras.regularizers.L2(0.1))
    rnn = RNN(cell, return_sequences=return_sequences)
    inputs = cells.RANDOM_INPUTS.astype("float32")
    mask = np.ones(inputs.shape[:2], "bool")
    mask[0, -2:] = not masked
    rnn(inputs, mask=mask if masked else None)
    assert rnn.losses == []  # no penalty outside training
    rnn(inputs, mask=mask if masked else None, training=True)
    outputs = np.array(RNN(cell, return_sequences=True)(inputs))
    h = outputs[..., :-3]
    a = (h @ np.array(cell.interface_kernel) + np.array(cell.interface_bias))[..., -3:]
    expected = 0.1 * np.square(a)[mask].sum(-1).mean()
    np.testing.assert_allclose(rnn.losses[0], expected, rtol=1e-5)
    for wrapper in (Traced(cell), StackedCells([cell])):
        rnn = RNN(wrapper)
        rnn(inputs, mask=mask if masked else None, training=True)
        np.testing.assert_allclose(rnn.losses[0], expected, rtol=1e-5)


def test_a_penalty_that_would_be_lost_is_rejected():
    cell = NTMCell(feed_forward(), 6, 3, add_regularizer="l2")
    with pytest.raises(ValueError, match="only the highest cell"):
        StackedCells([cell, LSTMCell(3)])
    rnn = keras.layers.RNN(cell)
    rnn(cells.RANDOM_INPUTS)
    with pytest.raises(ValueError, match="train the cell in seqkit"):
        rnn(cells.RANDOM_INPUTS, training=True)


def test_a_cell_without_a_trace_is_rejected():
    with pytest.raises(ValueError, match="trace"):
        Traced(LSTMCell(3))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"controller": keras.layers.Flatten()}, "a layer with units"),
        ({"controller": feed_forward(), "memory_size": 0}, "memory_size is 0"),
        ({"controller": feed_forward(), "num_writes": 0}, "num_writes is 0"),
    ],
)
def test_bad_arguments_are_rejected(kwargs, message):
    with pytest.raises(ValueError, match=message):
        NTMCell(**kwargs)


@pytest.mark.slow
def test_it_learns_to_copy():
    keras.utils.set_random_seed(0)
    cell = NTMCell(feed_forward(32), memory_size=8, word_size=8)
    assert numerics.bit_errors_of_copying(cell, steps=3000, clipnorm=1.0) < 0.01
