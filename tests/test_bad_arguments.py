"""One line for each wrong argument: the class, the argument, its shape or value, the rule."""

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
from seqkit.attention import AttentionCell, BahdanauAttention, CoverageAttention, PointerGenerator


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


def attention():
    return built(BahdanauAttention(4), QUERY, MEMORY)


def forcing(*layers):
    return ProfessorForcing(keras.Sequential([*layers, keras.layers.Dense(1)]))


NOT_A_SEQUENCE = r"the shape of sequences is \(.*\); it must be \(batch, time, features\), e.g."
SEQUENCES = {
    "features without time": (lambda: RNN(LSTMCell(5))(floats(32, 10)), f"RNN: {NOT_A_SEQUENCE}"),
    "ids without Embedding": (lambda: RNN(LSTMCell(5))(ids(4, 6)), f"RNN: {NOT_A_SEQUENCE}"),
    "built": (lambda: rnn()(floats(6, 3)), f"RNN: {NOT_A_SEQUENCE}"),
    "symbolic": (lambda: RNN(LSTMCell(5))(keras.Input((10,))), f"RNN: {NOT_A_SEQUENCE}"),
    "unknown size": (
        lambda: RNN(LSTMCell(5))(keras.Input((None, None))),
        r"RNN: the shape of sequences is \(None, None, None\); the last size must be known",
    ),
    "another size": (
        lambda: rnn()(floats(4, 6, 4)),
        r"RNN: the shape of sequences is \(4, 6, 4\); the layer was built for a last size of 3",
    ),
    "another size, symbolic": (lambda: rnn()(keras.Input((6, 4))), "built for a last size of 3"),
    "built cell": (lambda: RNN(rnn().cell)(floats(4, 6, 4)), "built for a last size of 3"),
    "images": (lambda: RNN(LSTMCell(5))(floats(4, 6, 3, 3)), r"LSTMCell: the shape of inputs is"),
    "strings": (
        lambda: RNN(LSTMCell(5))(np.full((4, 6, 3), "a")),
        "RNN: the values of sequences are text; they must be numbers",
    ),
    "bidirectional": (
        lambda: Bidirectional(RNN(LSTMCell(5)))(floats(32, 10)),
        f"Bidirectional: {NOT_A_SEQUENCE}",
    ),
    "conditioned": (
        lambda: Conditioned(RNN(GRUCell(5)))(floats(4, 3), floats(4, 2)),
        f"Conditioned: {NOT_A_SEQUENCE}",
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
MASKS = {
    f"{type(make()).__name__} {shape}": (
        lambda make=make, shape=shape, args=args: make()(*args, mask=np.ones(shape, bool)),
        f"{type(make()).__name__}: the shape of {WRONG_MASK}",
    )
    for make, args in (
        (lambda: RNN(GRUCell(5)), [SEQUENCE]),
        (lambda: Bidirectional(RNN(GRUCell(5))), [SEQUENCE]),
        (lambda: Conditioned(RNN(GRUCell(5))), [SEQUENCE, floats(4, 2)]),
        (lambda: BahdanauAttention(4), [QUERY, SEQUENCE]),
    )
    for shape in ((4, 1), (4, 5), (3, 6), (4,), (4, 6, 1))
}
STATE_OF_LSTM = r"LSTMCell: its states are \[\(batch, 5\), \(batch, 5\)\]; initial_state has"
OTHERS = {
    "reset": (lambda: rnn()(SEQUENCE, reset=np.ones(4, bool)), "RNN: the shape of reset is"),
    "one state of two": (lambda: rnn()(SEQUENCE, initial_state=STATES[0]), STATE_OF_LSTM),
    "states of another size": (
        lambda: rnn()(SEQUENCE, initial_state=[floats(4, 5), floats(4, 6)]),
        STATE_OF_LSTM,
    ),
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
    "constants": (lambda: rnn()(SEQUENCE, constants=MEMORY), "LSTMCell: it takes no constants"),
    "constants of a step": (
        lambda: rnn().step(QUERY, STATES, constants=MEMORY),
        "LSTMCell: it takes no constants",
    ),
    "constants of a cell": (
        lambda: LSTMCell(5)(QUERY, STATES, constants=MEMORY),
        "LSTMCell: it takes no constants",
    ),
    "memory of another batch": (
        lambda: attending()(SEQUENCE, constants=MEMORY[:3]),
        r"AttentionCell: the shape of memory is \(3, 7, 2\); .* = \(4, None, 2\)",
    ),
    "memory without time": (
        lambda: attending()(SEQUENCE, constants=QUERY),
        "AttentionCell: the shape of memory is",
    ),
    "memory as dict": (
        lambda: attending()(SEQUENCE, constants={"memory": MEMORY}),
        "AttentionCell: constants are a dict of 1; they must be a memory",
    ),
    "query without batch": (
        lambda: BahdanauAttention(4)(floats(4), MEMORY),
        "BahdanauAttention: the shape of query is",
    ),
    "query of another size": (
        lambda: attention()(floats(4, 4), MEMORY),
        r"\(batch, size\) = \(4, 3",
    ),
    "query of another batch": (lambda: attention()(QUERY[:3], MEMORY), "the shape of query is"),
    "memory of another size": (lambda: attention()(QUERY, SEQUENCE), "the shape of memory is"),
    "previous": (
        lambda: CoverageAttention(4)(QUERY, MEMORY, previous=floats(4, 6)),
        r"CoverageAttention: the shape of previous is \(4, 6\); .* = \(4, 7\)",
    ),
    "context": (
        lambda: Conditioned(RNN(GRUCell(5)))(SEQUENCE, floats(3, 2)),
        r"Conditioned: the shape of context is \(3, 2\); .* = \(4, None\), one vector per row",
    ),
    "number of states": (
        lambda: built(Bridge([5]), [QUERY])([QUERY, QUERY]),
        "Bridge: got 2 states; it was built for 1",
    ),
    "rank of a state": (lambda: Bridge([5])([SEQUENCE]), "Bridge: the shape of a state is"),
    "batches of states": (lambda: Bridge([5])([QUERY, QUERY[:3]]), "Bridge: the shape of a state"),
    "without states": (lambda: Bridge([5])([]), "Bridge: there are no states"),
    "pointer": (
        lambda: PointerGenerator()(floats(4, 9), QUERY, floats(4, 7), ids(4, 6)),
        r"PointerGenerator: the shape of source is \(4, 6\); .* = \(4, 7\)",
    ),
    "floats for words": (
        lambda: MemoryNetwork(9, 4)(floats(4, 3, 2), ids(4, 2)),
        "MemoryNetwork: the dtype of facts is float32; it must be ids of words",
    ),
    "facts without words": (
        lambda: MemoryNetwork(9, 4)(ids(4, 3), ids(4, 2)),
        "MemoryNetwork: the shape of facts is",
    ),
    "queries": (
        lambda: MemoryNetwork(9, 4)(ids(4, 3, 2), ids(3, 2)),
        "MemoryNetwork: the shape of query is",
    ),
    "free mask": (
        lambda: forcing(RNN(GRUCell(3)))(SEQUENCE, floats(4, 7, 3), mask=np.ones((4, 6), bool)),
        r"ProfessorForcing: the shape of free_mask is \(4, 6\)",
    ),
    "free batch": (
        lambda: forcing(RNN(GRUCell(3)))(SEQUENCE, SEQUENCE[:3]),
        "the shape of free is",
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
CASES = SEQUENCES | MASKS | OTHERS | PARTS


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
    with pytest.raises(ValueError, match=r"^RNN: .* built for a last size of 3$"):
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
