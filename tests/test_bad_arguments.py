"""Mistakes that `test_wrong_inputs` doesn't make: kinds and numbers of arguments, and the parts.

The line names the class, the argument, its shape or value, and the rule.
"""

import keras
import numpy as np
import pytest

from seqkit import (
    RNN,
    Bidirectional,
    Bridge,
    Conditioned,
    GRUCell,
    LSTMCell,
    MemoryNetwork,
    NTMCell,
    ProfessorForcing,
    StackedCells,
)
from seqkit.attention import AttentionCell, BahdanauAttention


def floats(*shape):
    return np.ones(shape, "float32")


def ids(*shape):
    return np.ones(shape, "int32")


SEQUENCE, QUERY, MEMORY = floats(4, 6, 3), floats(4, 3), floats(4, 7, 2)
STATES = [floats(4, 5), floats(4, 5)]


def built(layer, *args):
    layer(*args)
    return layer


def rnn():
    return built(RNN(LSTMCell(5)), SEQUENCE)


def attending():
    return RNN(AttentionCell(GRUCell(5), BahdanauAttention(4)))


def forcing(*layers):
    return ProfessorForcing(keras.Sequential([*layers, keras.layers.Dense(1)]))


NOT_A_SEQUENCE = r"the shape of sequences is \(.*\); it must be \(batch, time, features\), e.g."
SEQUENCES = {
    "features without time": (lambda: RNN(LSTMCell(5))(floats(32, 10)), f"RNN: {NOT_A_SEQUENCE}"),
    "ids without Embedding": (lambda: RNN(LSTMCell(5))(ids(4, 6)), f"RNN: {NOT_A_SEQUENCE}"),
    "symbolic": (lambda: RNN(LSTMCell(5))(keras.Input((10,))), f"RNN: {NOT_A_SEQUENCE}"),
    "unknown size": (
        lambda: RNN(LSTMCell(5))(keras.Input((None, None))),
        r"RNN: the shape of sequences is \(None, None, None\); the last dimension must be known",
    ),
    "another size, symbolic": (
        lambda: rnn()(keras.Input((6, 4))),
        "built for a last dimension of 3",
    ),
    "built cell": (lambda: RNN(rnn().cell)(floats(4, 6, 4)), "built for a last dimension of 3"),
    "strings": (
        lambda: RNN(LSTMCell(5))(np.full((4, 6, 3), "a")),
        "RNN: the values of sequences are text; they must be numbers",
    ),
    "step of many": (
        lambda: LSTMCell(5)(SEQUENCE, STATES),
        r"LSTMCell: the shape of inputs is \(4, 6, 3\); it must be \(batch, features\)",
    ),
    "step of a built cell": (
        lambda: rnn().cell(SEQUENCE, STATES),
        r"must be \(batch, features\) = \(None, 3\); seqkit.RNN runs a cell over a sequence",
    ),
}
WRONG_MASK = r"mask is .*; it must be \(batch, time\) = \(4, 6\)"
STATE_OF_LSTM = r"LSTMCell: its states are \[\(batch, 5\), \(batch, 5\)\]; initial_state has"
OTHERS = {
    "one state of two": (lambda: rnn()(SEQUENCE, initial_state=STATES[0]), STATE_OF_LSTM),
    "states of another batch": (
        lambda: rnn()(SEQUENCE, initial_state=[floats(3, 5)] * 2),
        STATE_OF_LSTM + r".* for a batch of 4",
    ),
    "no states": (lambda: rnn()(SEQUENCE, initial_state="zeros"), "must be tensors .*has str"),
    "a missing state": (lambda: rnn()(SEQUENCE, initial_state=[STATES[0], None]), "has NoneType"),
    "states of a cell": (lambda: LSTMCell(5)(QUERY, [floats(3, 5)] * 2), "got .* batch of 4"),
    "a state for two layers": (
        lambda: Bidirectional(RNN(GRUCell(5)))(SEQUENCE[:2], initial_state=floats(2, 5)),
        "Bidirectional: initial_state has 1 tensors; it takes 1 for the forward and 1 for",
    ),
    "rank 4": (
        lambda: RNN(LSTMCell(5))(floats(2, 3, 4, 5)),
        r"\(2, 4, 5\); it must be \(batch, features\); RNN needs sequences \(batch, time, feat",
    ),
    "rows of the memory": (
        lambda: BahdanauAttention(4)(floats(2, 3, 4), floats(3, 5, 4)),
        "BahdanauAttention: query has 2 rows and memory 3; each needs one row per sequence",
    ),
    "keys of their own": (
        lambda: BahdanauAttention(4)([floats(2, 4), floats(2, 5, 4), floats(2, 5, 4)]),
        r"BahdanauAttention: a list must be \[query, memory\]",
    ),
    "word ids": (
        lambda: MemoryNetwork(20, 8)(np.full((2, 3, 4), 30), np.ones((2, 4), int)),
        "MemoryNetwork: facts contain the id 30; ids must be 0 to 19",
    ),
    "constants": (lambda: rnn()(SEQUENCE, constants=MEMORY), "LSTMCell: takes no constants"),
    "constants of a step": (
        lambda: rnn().step(QUERY, STATES, constants=MEMORY),
        "LSTMCell: takes no constants",
    ),
    "constants of a cell": (
        lambda: LSTMCell(5)(QUERY, STATES, constants=MEMORY),
        "LSTMCell: takes no constants",
    ),
    "memory as dict": (
        lambda: attending()(SEQUENCE, constants={"memory": MEMORY}),
        "AttentionCell: constants are a dict of 1; they must be a memory",
    ),
    "number of states": (
        lambda: built(Bridge([5]), [QUERY])([QUERY, QUERY]),
        "Bridge: got 2 states; it was built for 1",
    ),
    "without states": (lambda: Bridge([5])([]), "Bridge: there are no states"),
    "floats for words": (
        lambda: MemoryNetwork(9, 4)(floats(4, 3, 2), ids(4, 2)),
        "MemoryNetwork: the dtype of facts is float32; it must be ids of words",
    ),
    "free mask": (
        lambda: forcing(RNN(GRUCell(3)))(SEQUENCE, floats(4, 7, 3), mask=np.ones((4, 6), bool)),
        r"ProfessorForcing: the shape of free_mask is \(4, 6\)",
    ),
    "discriminator of steps": (
        lambda: forcing()(SEQUENCE, SEQUENCE),
        "ProfessorForcing: the shape of the discriminator's output is",
    ),
}
PARTS = {
    "a cell for a layer": (
        lambda: Bidirectional(LSTMCell(5)),
        r"Bidirectional: layer is <LSTMCell .*; it must be a recurrent layer, such as seqkit\.RNN",
    ),
    "Dense for a recurrent layer": (
        lambda: Bidirectional(keras.layers.Dense(5)),
        "must be a recurrent",
    ),
    "a cell to read backwards": (
        lambda: Bidirectional(RNN(GRUCell(5)), backward_layer=GRUCell(5)),
        "backward_layer is <GRUCell",
    ),
    "a conditioned cell": (lambda: Conditioned(GRUCell(5)), "Conditioned: rnn is <GRUCell"),
    "a layer for a cell": (
        lambda: RNN(keras.layers.LSTM(5)),
        "RNN needs a cell; got LSTM, which itself runs over a sequence",
    ),
    "a class": (lambda: RNN(LSTMCell), r"got the class LSTMCell; create one: LSTMCell\(units\)"),
    "no cells": (lambda: RNN([]), "at least one"),
    "a layer among cells": (lambda: RNN([GRUCell(5), keras.layers.LSTM(5)]), "RNN needs a cell"),
    "cells of Keras": (
        lambda: StackedCells([keras.layers.LSTMCell(5)]),
        r"StackedCells: cells\[0\] is <LSTMCell .*; it must be a seqkit cell",
    ),
    "a cell, not a list": (lambda: StackedCells(LSTMCell(5)), "takes a list of seqkit cells"),
    "a controller of Keras": (
        lambda: NTMCell(keras.layers.LSTMCell(5)),
        "NTMCell: controller is <LSTMCell .*; it must be a seqkit cell",
    ),
    "an RNN as a controller": (lambda: NTMCell(RNN(LSTMCell(5))), "controller is <RNN"),
    "unroll": (lambda: RNN(LSTMCell(5), unroll=True), "leave out unroll=True"),
}
CASES = SEQUENCES | OTHERS | PARTS


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_one_line(name):
    call, line = CASES[name]
    with pytest.raises(ValueError, match=line) as error:
        call()
    assert len(str(error.value).splitlines()) == 1


def test_the_shapes_are_checked_in_a_graph_and_in_a_model():
    import tensorflow as tf

    layer = rnn()
    traced = tf.function(lambda x, m: layer(x, mask=m), autograph=False)
    with pytest.raises(ValueError, match=WRONG_MASK):
        traced(SEQUENCE, np.ones((4, 1), bool))
    model = keras.Sequential([keras.Input((None, 3)), layer])
    with pytest.raises(ValueError, match=r"^RNN: .* built for a last dimension of 3$"):
        model(floats(4, 6, 4))


@pytest.mark.parametrize("mask", [[[True, True, False]], np.array([[1, 1, 0]]), np.ones((1, 3))])
def test_masks_of_other_kinds_are_accepted(mask):
    layer, x = RNN(GRUCell(3)), floats(1, 3, 2)
    np.testing.assert_array_equal(layer(x, mask=mask), layer(x, mask=np.array(mask, bool)))


def test_numpy_integers_are_sizes():
    layer = RNN(LSTMCell(np.int64(5), projection_units=np.int32(2)))
    assert tuple(layer(SEQUENCE).shape) == (4, 2)
    assert type(layer.cell.units) is int
    assert Bridge(np.int64(5)).get_config()["sizes"] == 5
