"""Weights are read once before a loop over time, not at each of its steps."""

import numpy as np
import pytest
import tensorflow as tf

from seqkit import (
    RNN,
    AttentionCell,
    BahdanauAttention,
    DNCCell,
    ElmanCell,
    GRUCell,
    LSTMCell,
    NTMCell,
    StackedCells,
)

SEQUENCE = np.random.default_rng(0).standard_normal((4, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    "cell",
    [
        ElmanCell(3),
        LSTMCell(3),
        GRUCell(3),
        StackedCells([LSTMCell(3), GRUCell(2)]),
        NTMCell(LSTMCell(3), memory_size=4, word_size=2),
        DNCCell(LSTMCell(3), memory_size=4, word_size=2),
        AttentionCell(GRUCell(3), BahdanauAttention(2)),
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_weights_are_read_before_the_loop(cell):
    rnn = RNN(cell)
    constants = {"constants": SEQUENCE} if cell.reads_constants else {}
    rnn(SEQUENCE, **constants)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(rnn(SEQUENCE, training=True, **constants))
        return tape.gradient(loss, rnn.trainable_variables)

    graph = gradient.get_concrete_function().graph.as_graph_def()
    reads = [
        f"{function.signature.name}: {node.name}"
        for function in graph.library.function
        for node in function.node_def
        if node.op == "ReadVariableOp" and "while" in function.signature.name
    ]
    assert not reads
