from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats, sampled_from

from seqkit import RNN, LSTMCell
from seqkit.memory import sparse_ntm as module
from seqkit.memory.sparse_ntm import SparseNTMCell, State
from tests.memory import numerics
from tests.reference import sparse_ntm

SLOTS, WORD, HEADS, K = 7, 3, 2, 3
SIZES = {"memory_size": SLOTS, "word_size": WORD, "num_reads": HEADS, "num_neighbours": K}
WIDTH = HEADS * (2 * WORD + 3)


def initial_states():
    """Return states with distinct slots, whose order does not depend on rounding."""
    random = np.random.default_rng(5)
    slots = np.stack([[random.permutation(SLOTS)[:K] for _ in range(HEADS)] for _ in range(2)])
    weights = random.random((2, HEADS, K)) / K
    return State(
        random.standard_normal((2, SLOTS, WORD)),
        np.stack([random.permutation(SLOTS)[None] for _ in range(2)]).astype(float),
        np.zeros((2, HEADS, K + 1)),
        np.zeros((2, HEADS, K + 1)),
        slots.astype(float),
        weights,
        np.zeros((2, HEADS, WORD)),
    )


def reference(row, first, weights):
    U, b, W, b_xi = weights
    w_r = np.zeros((HEADS, SLOTS))
    np.put_along_axis(w_r, first.read_slots[row].astype(int), first.read_weights[row], axis=1)
    s = SimpleNamespace(M=first.memory[row], accessed=first.accessed[row, 0], w_r=w_r)
    xs, r = numerics.INPUTS[row], first.reads[row]
    return sparse_ntm.unfold(xs, s, r, lambda x: np.tanh(x @ U + b), W, b_xi, K)


def test_it_computes_the_papers_equations():
    rnn = numerics.random_rnn(SparseNTMCell(numerics.feed_forward(), **SIZES))
    first = initial_states()
    given = [v.reshape(2, -1) for v in first]
    outputs, *states = rnn(numerics.INPUTS.astype("float32"), initial_state=given)
    _, state = rnn.cell.unpack(states)
    trace = rnn.cell.trace(states)
    for row in range(2):
        wanted, s = reference(row, first, numerics.weights64(rnn))
        np.testing.assert_allclose(outputs[row], wanted, atol=1e-5)
        np.testing.assert_allclose(state.memory[row], s.M, atol=1e-5)
        np.testing.assert_array_equal(state.accessed[row, 0], s.accessed)
        np.testing.assert_allclose(trace["write_weighting"][row], s.w_w, atol=1e-5)
        np.testing.assert_allclose(trace["read_weighting"][row], s.w_r, atol=1e-5)


def test_gradients_equal_finite_differences():
    rnn = numerics.random_rnn(SparseNTMCell(numerics.feed_forward(), **SIZES))
    first = initial_states()
    numerics.assert_gradients_equal_finite_differences(
        rnn,
        [v.reshape(2, -1) for v in first],
        lambda row, weights: reference(row, first, weights)[0],
    )


CELL = SparseNTMCell(numerics.feed_forward(), **SIZES)
STEPS = numerics.access_steps(CELL)


@settings(max_examples=50, deadline=None)
@given(arrays(float, (4, 2, WIDTH), elements=sampled_from(numerics.EXTREMES) | floats(-1e4, 1e4)))
def test_invariants_hold_for_any_interface(interfaces):
    states, gradient = STEPS(interfaces.astype("float32"))
    assert np.isfinite(gradient).all()
    for state in states:
        for w in (state.read_weights, state.write_weights):
            numerics.assert_weighting(w)
        for slots in (state.read_slots, state.write_slots):
            assert np.isin(slots, np.arange(SLOTS)).all()
        assert np.isfinite(state.memory).all() and np.isfinite(state.reads).all()


def test_writing_erases_first_and_sums_values_at_one_slot():
    slots = np.array([[[1, 4, 4]], [[0, 2, 3]]], "float32")  # one of them twice
    memory = np.random.default_rng(0).standard_normal((2, 50, 4)).astype("float32")
    values = np.ones((2, 1, 3, 4), "float32")
    erased = np.array([[[9]], [[2]]], "float32")
    after = module._write(memory, erased, slots, values)
    wanted = memory.copy()
    wanted[0, 9] = wanted[1, 2] = 0
    for row in range(2):
        for slot in slots[row, 0]:
            wanted[row, int(slot)] += 1
    np.testing.assert_allclose(after, wanted, rtol=1e-6)


def test_gradients_of_reads_and_writes_equal_those_of_one_hot_products():
    random = np.random.default_rng(0)
    memory, values = random.standard_normal((2, 9, 4)), random.standard_normal((2, 1, 3, 4))
    sources = [tf.constant(v, tf.float32) for v in (memory, values)]
    slots = tf.constant([[[1, 4, 4]], [[0, 2, 3]]], tf.float32)
    erased = tf.constant([[[8]], [[2]]], tf.float32)
    scale = [random.standard_normal(s).astype("float32") for s in ((2, 9, 4), (2, 1, 3, 4))]

    def sparse(memory, values):
        return module._read(module._write(memory, erased, slots, values), slots)

    def dense(memory, values):
        written, erased_slots = (tf.one_hot(tf.cast(v, tf.int32), 9)[:, 0] for v in (slots, erased))
        memory = memory * (1 - tf.transpose(erased_slots, (0, 2, 1)))
        memory += tf.matmul(written, values[:, 0], transpose_a=True)
        return memory, tf.matmul(written, memory)[:, None]

    results = []
    for function in (sparse, dense):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = function(*sources)
            loss = sum(tf.reduce_sum(s * v) for s, v in zip(scale, outputs, strict=True))
        results.append([*outputs, *tape.gradient(loss, sources)])
    for found, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"memory_size": 3}, {"num_neighbours": 0}, {"num_reads": 200}])
def test_sizes_must_fit(wrong):
    with pytest.raises(ValueError, match="SparseNTMCell: "):
        SparseNTMCell(LSTMCell(3), **wrong)


@pytest.mark.slow
def test_it_learns_to_copy():
    """With a feed-forward controller, which depends on the memory."""
    keras.utils.set_random_seed(0)
    cell = SparseNTMCell(numerics.feed_forward(32), memory_size=16, word_size=8)
    assert numerics.bit_errors_of_copying(cell) < 0.02


def test_compiled_it_selects_the_same_slots():
    """Words written from one vector are equally near: rounding must not choose among them."""
    rnn = RNN(SparseNTMCell(LSTMCell(3), 6, 4, num_reads=2), return_sequences=True)
    inputs = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
    rnn(inputs)
    plain, compiled = (tf.function(lambda x: rnn(x), jit_compile=jit) for jit in (False, True))
    random = np.random.default_rng(7)
    for _ in range(100):
        for weight in rnn.weights:
            weight.assign(random.standard_normal(weight.shape) * random.choice([0.1, 0.3, 0.7]))
        np.testing.assert_allclose(compiled(inputs), plain(inputs), atol=1e-4)
