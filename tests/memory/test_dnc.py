from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats, sampled_from

from seqkit import RNN, LSTMCell
from seqkit.memory.dnc import DNCCell, State
from tests.memory import numerics
from tests.reference import dnc

SLOTS, WORD, READS = 5, 3, 2
SIZES = {"memory_size": SLOTS, "word_size": WORD, "num_reads": READS}
WIDTH = WORD * READS + 3 * WORD + 5 * READS + 3  # of the paper's interface vector


def initial_states():
    """Return states with distinct slots, whose order does not depend on rounding."""
    random = np.random.default_rng(5)
    memory, reads = random.standard_normal((2, WORD, SLOTS)), np.zeros((2, READS, WORD))
    usage = random.random((2, 1, SLOTS))
    p, w_w, w_r = (random.random((2, heads, SLOTS)) / SLOTS for heads in (1, 1, READS))
    links = random.random((2, SLOTS, SLOTS)) / SLOTS * (1 - np.eye(SLOTS))
    return State(memory, usage, p, links, w_w, w_r, reads)


def reference(xs, row, first, weights):
    U, b, W, b_xi = weights
    M, u, p, L, w_w, w_r, r = (v[row] for v in first)
    s = SimpleNamespace(M=M.T, u=u[0], p=p[0], L=L, w_w=w_w[0], w_r=w_r)
    return dnc.unfold(xs, s, r, lambda x: np.tanh(x @ U + b), W, b_xi)


def test_it_computes_the_papers_equations():
    rnn = numerics.random_rnn(DNCCell(numerics.feed_forward(), **SIZES))
    first = initial_states()
    given = [v.reshape(2, -1) for v in first]
    outputs, *states = rnn(numerics.INPUTS.astype("float32"), initial_state=given)
    _, state = rnn.cell.unpack(states)
    for row, xs in enumerate(numerics.INPUTS):
        wanted, s = reference(xs, row, first, numerics.weights64(rnn))
        np.testing.assert_allclose(outputs[row], wanted, atol=1e-5)
        np.testing.assert_allclose(state.memory[row], s.M.T, atol=1e-5)
        np.testing.assert_allclose(state.usage[row, 0], s.u, atol=1e-5)
        np.testing.assert_allclose(state.precedence[row, 0], s.p, atol=1e-5)
        np.testing.assert_allclose(state.links[row], s.L, atol=1e-5)
        np.testing.assert_allclose(state.write_weighting[row, 0], s.w_w, atol=1e-5)
        np.testing.assert_allclose(state.read_weighting[row], s.w_r, atol=1e-5)


def test_gradients_equal_finite_differences():
    rnn = numerics.random_rnn(DNCCell(numerics.feed_forward(), **SIZES))
    first = initial_states()
    numerics.assert_gradients_equal_finite_differences(
        rnn,
        [v.reshape(2, -1) for v in first],
        lambda row, weights: reference(numerics.INPUTS[row], row, first, weights)[0],
    )


CELL = DNCCell(numerics.feed_forward(), **SIZES)
STEPS = numerics.access_steps(CELL)


@settings(max_examples=50, deadline=None)
@given(arrays(float, (4, 2, WIDTH), elements=sampled_from(numerics.EXTREMES) | floats(-1e4, 1e4)))
def test_invariants_hold_for_any_interface(interfaces):
    states, gradient = STEPS(interfaces.astype("float32"))
    assert np.isfinite(gradient).all()
    for state in states:
        for w in (state.read_weighting, state.write_weighting, state.precedence):
            numerics.assert_weighting(w)
        numerics.assert_weighting(state.links)  # its rows
        numerics.assert_weighting(np.swapaxes(state.links, 1, 2))
        assert not np.diagonal(state.links, axis1=1, axis2=2).any()
        assert np.min(state.usage) >= 0 and np.max(state.usage) <= 1
        assert np.isfinite(state.memory).all() and np.isfinite(state.reads).all()


def test_a_full_memory_is_written_at_the_freed_slot():
    """Slot 3 was read and is freed: the only slot that can be allocated."""
    _, state = CELL.unpack(CELL.get_initial_state(1))
    state = state._replace(
        usage=np.ones((1, 1, SLOTS), "float32"),
        read_weighting=np.eye(SLOTS, dtype="float32")[None, [3, 3]],
    )
    zeros = CELL.split_interface(np.zeros((1, WIDTH), "float32"))
    interface = zeros._replace(
        free_gates=np.full((1, READS, 1), 20.0, "float32"),
        allocation_gate=np.full((1, 1, 1), 20.0, "float32"),
        write_gate=np.full((1, 1, 1), 20.0, "float32"),
    )
    written = CELL.access(interface, state).write_weighting
    np.testing.assert_allclose(written[0, 0], np.eye(SLOTS)[3], atol=1e-5)


def test_the_trace_has_the_plotted_weightings():
    _, *states = RNN(CELL, return_state=True)(numerics.INPUTS)
    shapes = {name: tuple(v.shape) for name, v in CELL.trace(states).items()}
    assert shapes == {
        "read_weighting": (2, READS, SLOTS),
        "write_weighting": (2, 1, SLOTS),
        "usage": (2, 1, SLOTS),
    }


@pytest.mark.parametrize("wrong", [{"memory_size": 0}, {"word_size": -1}, {"num_reads": 0}])
def test_sizes_must_be_positive(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        DNCCell(LSTMCell(3), **wrong)


@pytest.mark.slow
def test_it_learns_to_copy():
    """With a feed-forward controller, which depends on the memory."""
    keras.utils.set_random_seed(0)
    cell = DNCCell(numerics.feed_forward(32), memory_size=8, word_size=8)
    assert numerics.bit_errors_of_copying(cell) < 0.02


def test_initially_lookups_are_sharp_and_the_rest_is_zero():
    cell = DNCCell(numerics.feed_forward(), **SIZES)
    cell.build((None, 4))
    interface = cell.split_interface(cell.interface_bias[None])
    for name, part in interface._asdict().items():
        assert (np.array(part) == (4 if name == "read_strengths" else 0)).all(), name
