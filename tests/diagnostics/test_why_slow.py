"""why_slow: the path of each recurrent layer, as traced, and what keeps it from a faster one."""

import os
import subprocess
import sys

import keras
import pytest
from keras import layers

from seqkit import (
    RNN,
    AttentionCell,
    BahdanauAttention,
    Bidirectional,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    StackedCells,
    backend,
    plain_loops,
)
from seqkit.diagnostics import why_slow

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
FAST = "compiled loops, 2 parts" if ON_TENSORFLOW else "loop with its own gradient"
only_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="a path of TensorFlow")


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)


@pytest.fixture
def gpu(monkeypatch):
    """Make TensorFlow believe that the CPU is a GPU, for graphs that are never run."""
    import tensorflow as tf

    devices = tf.config.list_logical_devices("CPU")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda device_type=None: devices)


def sequential(*parts, **options):
    model = keras.Sequential([keras.Input((None, 5)), *parts], name="model")
    model.compile("sgd", "mse", **options)
    return model


def row_of(layer):
    (row,) = why_slow(sequential(layer))
    return row


@pytest.mark.parametrize(
    "cell",
    [
        ElmanCell(3, activation="relu"),
        GRUCell(3, use_bias=False),
        LSTMCell(3, dropout=0.1, recurrent_dropout=0.1),
        StackedCells([LSTMCell(3), GRUCell(2)]),
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_a_fast_cell_has_no_reason(cell):
    row = row_of(RNN(cell))
    assert row[1:] == (f"RNN({type(cell).__name__})", FAST, "", "")


_ACTIVATIONS = "fast activations: tanh, sigmoid, linear, relu"
_FAST_CELLS = "a cell that has one: ElmanCell, GRUCell, LSTMCell"
_SAME = "with the same arguments and weights (set_weights)"


@pytest.mark.parametrize(
    ("cell", "reason", "remedy"),
    [
        (LSTMCell(3, peephole=True), "peephole=True", "leave out peephole=True"),
        (LSTMCell(3, layer_norm=True), "layer_norm=True", "leave out layer_norm=True"),
        (
            LSTMCell(3, coupled=True, projection_units=2),
            "coupled=True, projection_units=2",
            "leave out coupled=True, projection_units=2",
        ),
        (
            LSTMCell(3, recurrent_activation="hard_sigmoid"),
            "recurrent_activation=hard_sigmoid",
            f"leave out recurrent_activation=hard_sigmoid; {_ACTIVATIONS}",
        ),
        (GRUCell(3, reset_after=False), "reset_after=False", "leave out reset_after=False"),
        (
            ElmanCell(3, activation="silu"),  # which has a custom gradient of its own
            "activation=silu",
            f"leave out activation=silu; {_ACTIVATIONS}",
        ),
        (JordanCell(3, 2), "JordanCell has no gradient of its own", _FAST_CELLS),
        (
            StackedCells([LSTMCell(3), GRUCell(3, reset_after=False)]),
            "cells[1]: reset_after=False",
            "leave out reset_after=False",
        ),
        (layers.GRUCell(3), "keras.layers.GRUCell", f"RNN(GRUCell(3)) {_SAME}"),
        (
            layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(3)]),
            "keras.layers.StackedRNNCells",
            "a seqkit.RNN for each cell computes the same",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_slow_cell_has_a_reason_and_a_remedy(cell, reason, remedy):
    assert row_of(RNN(cell))[2:] == ("loop over step", reason, remedy)


@pytest.mark.parametrize(
    ("layer", "of_cell", "remedy"),
    [
        (layers.LSTM(4, dropout=0.1), "", f"RNN(LSTMCell(4)) {_SAME}"),
        (layers.GRU(4), "", f"RNN(GRUCell(4)) {_SAME}"),
        (
            layers.GRU(4, reset_after=False),
            "",
            f"RNN(GRUCell(4)) {_SAME}; leave out reset_after=False",
        ),
        (layers.SimpleRNN(4), "", f"RNN(ElmanCell(4)) {_SAME}"),
        (layers.RNN(LSTMCell(4)), "", "seqkit.RNN with the same cell"),
        (
            layers.RNN(LSTMCell(4, peephole=True)),
            "; peephole=True",
            "seqkit.RNN with the same cell; leave out peephole=True",
        ),
        (layers.RNN(layers.LSTMCell(4)), "; keras.layers.LSTMCell", f"RNN(LSTMCell(4)) {_SAME}"),
    ],
)
def test_layers_of_keras_have_an_equivalent(layer, of_cell, remedy):
    row = row_of(layer)
    reason = f"keras.layers.{type(layer).__name__} differentiates each step{of_cell}"
    assert row[2:] == ("loop in the graph", reason, remedy)


def test_an_unrolled_layer_has_no_loop():
    model = keras.Sequential([keras.Input((4, 5)), layers.LSTM(3, unroll=True)])
    assert why_slow(model)[0].path == "unrolled"


@only_tensorflow
def test_a_fixed_batch_has_as_many_parts_as_are_worth_it():
    model = keras.Sequential([keras.Input(batch_shape=(15, 4, 5)), RNN(LSTMCell(3))])
    assert why_slow(model)[0].path == "compiled loop"


def test_plain_loops_are_a_reason():
    model = sequential(RNN(LSTMCell(3)))
    with plain_loops():
        (row,) = why_slow(model)
    assert row[2:] == ("loop over step", "plain_loops is active", "train outside of plain_loops()")


def test_layers_are_found_in_other_layers():
    inputs = keras.Input((None, 4))
    inner = keras.Model(inputs, RNN(LSTMCell(4, name="a"), return_sequences=True)(inputs))
    inner.name = "encoder"
    model = sequential(
        layers.Dense(4),
        inner,
        inner,  # shared
        layers.Bidirectional(layers.LSTM(4, return_sequences=True, name="b"), name="theirs"),
        Bidirectional(RNN(GRUCell(3), return_sequences=True, name="c"), name="ours"),
        layers.Reshape((-1, 6, 1)),
        layers.TimeDistributed(RNN(LSTMCell(3), name="d"), name="each"),
    )
    rnn = inner.layers[1].name
    assert [(row.layer, row.path) for row in why_slow(model)] == [
        (f"encoder/{rnn}", FAST),
        ("theirs/forward_b", "loop in the graph"),
        ("theirs/backward_b", "loop in the graph"),
        ("ours/c", FAST),
        ("ours/backward_c", FAST),
        ("each/d", FAST),
    ]


class Reader(keras.Model):
    """Model that Keras knows no graph of."""

    def __init__(self):
        super().__init__(name="reader")
        self.encoder = Bidirectional(RNN(LSTMCell(3), return_sequences=True), name="encoder")
        cell = AttentionCell(LSTMCell(3), BahdanauAttention(4))
        self.decoder = RNN(cell, name="decoder")

    def call(self, x):
        memory = self.encoder(x)
        return self.decoder(x, constants=memory)


def test_layers_of_a_subclassed_model_are_traced_with_the_shapes_that_built_them():
    model = Reader()
    with pytest.raises(ValueError, match=r"rnn.* isn't built; call the model on a batch first"):
        why_slow(model)
    model(keras.ops.zeros((2, 3, 4)))
    forward, backward, decoder = why_slow(model)
    assert forward.path == backward.path == FAST
    assert decoder.path == "not traced" and "needs a memory" in decoder.reason


def test_constants_and_initial_states_of_a_functional_model_are_passed_on():
    x, memory, h = (keras.Input(shape, batch_size=16) for shape in ((None, 5), (None, 4), (3,)))
    mask = keras.Input((None,), batch_size=16, dtype="bool")
    y = RNN(LSTMCell(3), return_sequences=True)(x, mask=mask, initial_state=[h, h])
    y = RNN(AttentionCell(LSTMCell(3), BahdanauAttention(4)))(y, constants=(memory, mask))
    first, second = why_slow(keras.Model([x, memory, mask, h], y))
    assert first.path == FAST
    assert second.path == "loop over step" and "AttentionCell" in second.reason


@only_tensorflow
def test_a_step_that_is_compiled_as_a_whole_has_a_row():
    step, layer = why_slow(sequential(RNN(LSTMCell(3)), jit_compile=True))
    assert step[:3] == ("model", "Sequential", "compiled as a whole")
    assert "jit_compile=False" in step.remedy and layer.path == FAST


def test_a_step_without_a_graph_has_a_row():
    step, _ = why_slow(sequential(RNN(LSTMCell(3)), run_eagerly=True))
    assert step[2:] == ("no graph", "run_eagerly=True", "compile(run_eagerly=False)")


@only_tensorflow
@pytest.mark.usefixtures("gpu")
def test_paths_on_a_gpu():
    options = {"return_sequences": True}
    theirs, slow, ours, elman, silu = why_slow(
        sequential(
            layers.LSTM(3, **options),
            layers.GRU(3, reset_after=False, **options),
            RNN(LSTMCell(3), **options),
            RNN(ElmanCell(3), **options),
            RNN(LSTMCell(3, activation="silu")),
        )
    )
    assert theirs[2:] == ("cuDNN", "", "")
    assert slow[2:4] == ("loop in the graph", "an argument that cuDNN doesn't take")
    assert ours.path == elman.path == "loop with its own gradient"
    assert ours.reason.startswith("a GPU is visible") and "keras.layers.LSTM(3)" in ours.remedy
    assert not elman.remedy
    assert silu[2:4] == ("loop over step", "activation=silu")


def test_tracing_changes_nothing_in_the_model():
    rnn = RNN(LSTMCell(3, dropout=0.5, seed=1))
    model = sequential(rnn, layers.Dense(1, kernel_regularizer="l2"))
    before = [keras.ops.convert_to_numpy(v).tolist() for v in model.variables]
    why_slow(model)
    assert [keras.ops.convert_to_numpy(v).tolist() for v in model.variables] == before


def test_the_table_has_all_rows(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    why_slow(sequential(layers.LSTM(3, name="a_layer_with_a_long_name"), layers.Dense(2)))
    printed = capsys.readouterr().out
    assert "reason" in printed and "…" not in printed and "set_weights" in printed


def test_a_model_without_recurrent_layers(capsys):
    assert why_slow(sequential(layers.Dense(2))) == []
    assert capsys.readouterr().out == "model has no recurrent layers\n"


def test_find_loops_looks_into_called_functions_but_not_into_loops():
    @backend.custom_gradient
    def total(x):
        return backend.scan(lambda s, row: (s + row, ()), keras.ops.zeros(4), x)[0], lambda g: x * g

    spec = keras.KerasTensor((None, 4))
    assert +backend.find_loops(lambda x: x + 1, spec) == {}
    assert +backend.find_loops(total, spec) == {"loop": 1, "own gradient": 1}
    if ON_TENSORFLOW:
        import tensorflow as tf

        once, compiled = tf.function(total), tf.function(total, jit_compile=True)
        assert backend.find_loops(lambda x: once(x), spec)["loop"] == 1
        assert +backend.find_loops(lambda x: compiled(x), spec) == {"compiled loop": 1}


@pytest.mark.slow
@pytest.mark.skipif(not ON_TENSORFLOW, reason="this is that process")
def test_these_tests_pass_on_jax():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
