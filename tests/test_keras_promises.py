"""Keras's own tests of its recurrent layers, run with ours in place of Keras's."""

import sys
import types
import unittest

import keras
import pytest

from seqkit import RNN, Bidirectional, ElmanCell, GRUCell, LSTMCell

MODULES = [
    pytest.importorskip(f"keras.src.layers.rnn.{name}_test", reason="Keras without its tests")
    for name in ("lstm", "gru", "simple_rnn", "bidirectional", "rnn", "stacked_rnn_cells")
]
RNN_ARGUMENTS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "zero_output_for_mask",
    "stateful",
    "name",
)
HOW_NOT_WHAT = ("unroll", "implementation", "use_cudnn")  # the results don't depend on them
STATEFUL = "stateful: states are explicit"
CUDNN = "asks for Keras's choice of cuDNN"
SKIPPED = {
    "lstm_test.test_statefulness": STATEFUL,
    "gru_test.test_statefulness": STATEFUL,
    "gru_test.test_stateful_with_symbolic_batch_size": STATEFUL,
    "gru_test.test_torch_cudnn_dispatch_fires": CUDNN,
    "gru_test.test_legacy_implementation_argument": "reads a configuration of Keras 2",
    "bidirectional_test.test_statefulness": STATEFUL,
    "bidirectional_test.test_fused_lstm_eligibility": CUDNN,
    "bidirectional_test.test_fused_gru_eligibility": CUDNN,
    "bidirectional_test.test_keeps_use_cudnn": CUDNN,
    "bidirectional_test.test_torch_cudnn_bidirectional_gru_dispatch_fires": CUDNN,
    "simple_rnn_test.test_statefulness": STATEFUL,
    "stacked_rnn_cells_test.test_statefullness_single_state_stack": STATEFUL,
    "stacked_rnn_cells_test.test_statefullness_two_states_stack": STATEFUL,
    "rnn_test.test_go_backwards": f"{STATEFUL}, in its second half",
    "rnn_test.test_stateful_batch_size_mismatch_raises": STATEFUL,
    "rnn_test.test_statefulness_single_state": STATEFUL,
    "rnn_test.test_statefulness_two_states": STATEFUL,
}


def rnn(cell, dtype=None, **kwargs):
    """Return an `RNN`, whose dtype is its cell's."""
    if dtype is not None:
        cell = keras.tree.map_structure(
            lambda one: type(one).from_config(one.get_config() | {"dtype": dtype}), cell
        )
    return RNN(cell, **{k: v for k, v in kwargs.items() if k not in HOW_NOT_WHAT})


def layer_of(cell_class):
    """Return a stand-in for a layer of Keras that takes the cell's and the layer's arguments."""

    def make(units, **kwargs):
        kwargs = {k: v for k, v in kwargs.items() if k not in HOW_NOT_WHAT}
        layer = {name: kwargs.pop(name) for name in RNN_ARGUMENTS if name in kwargs}
        return RNN(cell_class(units, **kwargs), **layer)

    return make


OURS = types.SimpleNamespace(
    RNN=rnn,
    LSTM=layer_of(LSTMCell),
    GRU=layer_of(GRUCell),
    SimpleRNN=layer_of(ElmanCell),
    Bidirectional=Bidirectional,
    LSTMCell=keras.layers.LSTMCell,
    GRUCell=keras.layers.GRUCell,
    SimpleRNNCell=keras.layers.SimpleRNNCell,
    StackedRNNCells=keras.layers.StackedRNNCells,
    Input=keras.layers.Input,
)
TESTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": (case, name)
    for module in MODULES
    for case in vars(module).values()
    if isinstance(case, type) and issubclass(case, unittest.TestCase)
    for name in unittest.TestLoader().getTestCaseNames(case)
}


# They compile a step of training for each.
SLOW = ("rnn_test.test_basics", "stacked_rnn_cells_test.test_basics")


@pytest.mark.parametrize(
    "test", [pytest.param(t, marks=[pytest.mark.slow] if t in SLOW else []) for t in TESTS]
)
def test_it_passes_with_our_layers(test, monkeypatch):
    if test in SKIPPED:
        pytest.skip(SKIPPED[test])
    case, name = TESTS[test]
    monkeypatch.setattr(sys.modules[case.__module__], "layers", OURS)
    result = unittest.TestResult()
    case(name)(result)
    assert not result.failures + result.errors, (result.failures + result.errors)[0][1]


def test_skipped_tests_exist():
    assert not SKIPPED.keys() - TESTS.keys()
