"""Batches without rows and sequences without steps, in a graph of unknown sizes and under XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit import RNN, Bidirectional, GRUCell, LSTMCell, NTMCell, SparseNTMCell
from seqkit.attention import AttentionCell, CoverageAttention

RANDOM = np.random.default_rng(0)
SEQUENCE = RANDOM.standard_normal((3, 5, 4)).astype("float32")
MEMORY = RANDOM.standard_normal((3, 6, 2)).astype("float32")
ALL = {"return_sequences": True, "return_state": True}
CELLS = {
    "lstm": lambda: LSTMCell(3),
    "keras": lambda: keras.layers.GRUCell(3, dropout=0.2),
    "ntm": lambda: NTMCell(GRUCell(3), memory_size=4, word_size=2),
    "sparse": lambda: SparseNTMCell(keras.layers.Dense(3), 4, 2, num_neighbours=2),
}


def in_a_graph(function, *arrays):
    """Call a function, compiled for any number of rows and steps."""
    specs = [tf.TensorSpec((None, None, *x.shape[2:]), x.dtype) for x in arrays]
    compiled = tf.function(function, input_signature=specs, autograph=False)
    return [np.asarray(part) for part in compiled(*map(tf.constant, arrays))]


@pytest.mark.parametrize(
    ("cell", "go_backwards"), [("lstm", True), *((cell, False) for cell in CELLS)]
)
def test_a_sequence_without_steps_returns_the_initial_state(go_backwards, cell):
    rnn = RNN(CELLS[cell](), go_backwards=go_backwards, **ALL)
    last = RNN(rnn.cell, go_backwards=go_backwards)
    rnn(SEQUENCE)
    last(SEQUENCE)
    nothing, mask = SEQUENCE[:, :0], np.ones((3, 0), bool)
    initial = rnn.get_initial_state(3)

    def call(x, mask):
        return [*rnn(x, mask=mask), *rnn(x, mask=mask, reset=mask), last(x)]

    for results in (in_a_graph(call, nothing, mask), call(nothing, mask)):
        assert tuple(results[0].shape) == (3, 0, rnn.output_size)
        count = 1 + len(initial)
        for states in (results[1:count], results[count + 1 : -1]):
            for state, wanted in zip(states, initial, strict=True):
                np.testing.assert_array_equal(state, wanted)
        np.testing.assert_array_equal(results[-1], np.zeros((3, rnn.output_size)))


# Without the cell of Keras, whose ops.add takes one of two empty batches for a bias.
@pytest.mark.parametrize("cell", sorted(CELLS.keys() - {"keras"}))
def test_a_batch_without_rows_has_no_outputs(cell):
    rnn = RNN(CELLS[cell](), **ALL)
    wanted = [(0, *x.shape[1:]) for x in rnn(SEQUENCE)]
    assert [tuple(x.shape) for x in rnn(SEQUENCE[:0])] == wanted
    assert [x.shape for x in in_a_graph(rnn, SEQUENCE[:0])] == wanted


@pytest.mark.parametrize("rows", [3, 0])
def test_attention_to_a_memory_without_steps_reads_zeros(rows):
    rnn = RNN(AttentionCell(GRUCell(3), CoverageAttention(4)), **ALL)
    rnn(SEQUENCE, constants=MEMORY)
    outputs, *states = in_a_graph(
        lambda x, h: rnn(x, constants=h), SEQUENCE[:rows], MEMORY[:rows, :0]
    )
    assert not outputs[..., 3:].any() and np.isfinite(outputs).all()
    assert [state.shape for state in states] == [(rows, 3), *[(rows, 0)] * 3]


@pytest.mark.parametrize("merge_mode", ["concat", "sum"])
def test_bidirectional_takes_both(merge_mode):
    layer = Bidirectional(RNN(GRUCell(3), return_sequences=True), merge_mode)
    width = layer(SEQUENCE).shape[-1]
    for nothing in (SEQUENCE[:0], SEQUENCE[:, :0]):
        wanted = (*nothing.shape[:2], width)
        assert tuple(layer(nothing).shape) == wanted
        assert in_a_graph(lambda x: [layer(x)], nothing)[0].shape == wanted


def test_an_empty_sequence_has_a_gradient():
    rnn = RNN(LSTMCell(3), **ALL)
    rnn(SEQUENCE)

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = sum(tf.reduce_sum(part) for part in rnn(x))
        weights = [w.value for w in rnn.trainable_weights]
        return tape.gradient(loss, [x, *weights], unconnected_gradients="zero")

    nothing = SEQUENCE[:, :0]
    compiled = tf.function(gradients, jit_compile=True)(tf.constant(nothing))
    for found in (in_a_graph(gradients, nothing), compiled):
        assert tuple(found[0].shape) == nothing.shape
        assert not any(np.any(gradient) for gradient in found[1:])
