"""Loops with their own gradient against plain loops, whose gradient is automatic."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import RNN, Bidirectional, ElmanCell, GRUCell, LSTMCell, StackedCells, plain_loops
from seqkit.typing import Tensor

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="graphs of TensorFlow"
)

CELLS = {
    "elman": lambda **options: ElmanCell(3, **options),
    "relu": lambda **options: ElmanCell(3, activation="relu", **options),
    "lstm": lambda **options: LSTMCell(3, **options),
    "gru": lambda **options: GRUCell(3, **options),
    "gru without bias": lambda **options: GRUCell(3, use_bias=False, **options),
}
FLAGS = {"neither": (), "mask": ("mask",), "reset": ("reset",), "both": ("mask", "reset")}
rng = np.random.default_rng(0)


def flags(names: tuple[str, ...], batch: int, time: int) -> dict[str, np.ndarray]:
    return {name: rng.random((batch, time)) > 0.3 for name in names}


def results(layer, x, plain: bool, **arguments) -> list[Tensor]:
    """Outputs, states, and the gradients of a loss on all of them, in a graph of unknown sizes."""
    names = list(arguments)

    def step(x: Tensor, *values: Tensor) -> list[Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True, **dict(zip(names, values, strict=True)))
            loss = sum(tf.reduce_sum(tf.sin((k + 1.3) * y)) for k, y in enumerate(outputs))
        return [*outputs, *tape.gradient(loss, [x, *layer.trainable_variables])]

    arrays = [x, *arguments.values()]
    spec = [tf.TensorSpec([None, None, *a.shape[2:]], a.dtype) for a in arrays]
    with plain_loops() if plain else contextlib.nullcontext():
        return tf.function(step, input_signature=spec)(*arrays)


def assert_same_results(make, x, tolerance=1e-12, **arguments):
    layers = []
    for _ in range(2):
        keras.utils.set_random_seed(1)  # the same weights and the same dropout
        layers.append(make())
        layers[-1](x)
    fast, plain = (
        results(layer, x, plain, **arguments)
        for layer, plain in zip(layers, (False, True), strict=True)
    )
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def lstm() -> RNN:
    return RNN(LSTMCell(3, dtype="float64"), return_sequences=True, return_state=True)


@pytest.mark.parametrize("names", FLAGS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_the_plain_loop(cell, names):
    batch, time = (17, 6) if names == "both" else (3, 5)  # 17 rows: parts of unequal size

    def make() -> RNN:
        cell_ = CELLS[cell](dtype="float64", recurrent_dropout=0.3, dropout=0.2, seed=1)
        return RNN(
            cell_,
            return_sequences=names != "neither",
            return_state=True,
            go_backwards=names == "reset",
            learn_initial_state=names in ("both", "reset"),
        )

    x = rng.normal(size=(batch, time, 2))
    assert_same_results(make, x, **flags(FLAGS[names], batch, time))


@pytest.mark.parametrize("length", [1, 8, 9])
def test_any_length_is_run_to_its_end(length):
    x = rng.normal(size=(2, length, 2))
    assert_same_results(lstm, x)


@pytest.mark.parametrize("shape", [(3, 5), (17, 5)])
def test_the_incoming_gradient_may_not_know_its_shape(shape):
    @tf.custom_gradient
    def forget_shape(y: Tensor) -> Tensor:
        return y, lambda d: tf.compat.v1.placeholder_with_default(d, None)

    rnn = RNN(LSTMCell(3), return_sequences=True)
    x = tf.ones((*shape, 2))
    rnn(x)

    @tf.function
    def gradient(forget: bool) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rnn(x, training=True)
            loss = tf.reduce_sum((forget_shape(y) if forget else y) ** 2)
        return tape.gradient(loss, x)

    np.testing.assert_allclose(gradient(True), gradient(False), rtol=1e-6)


def test_the_mask_may_know_more_or_less_of_its_shape_than_the_inputs():
    x, mask = tf.ones((3, 5, 2)), tf.ones((3, 5), tf.bool)
    rnn = RNN(LSTMCell(3), return_sequences=True)
    rnn(x)

    def gradient(x: Tensor, mask: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(rnn(x, mask=mask, training=True) ** 2)
        return tape.gradient(loss, x)

    known = tf.function(gradient)(x, mask)
    for shapes in ([[3, 5, 2], [None, None]], [[None, None, 2], [3, 5]]):
        spec = [tf.TensorSpec(s, v.dtype) for s, v in zip(shapes, (x, mask), strict=True)]
        found = tf.function(gradient, input_signature=spec)(x, mask)
        np.testing.assert_allclose(found, known, rtol=1e-6)


@pytest.mark.parametrize(("cores", "batch"), [(4, 5), (4, 3), (3, 25)])
def test_any_number_of_cores(cores, batch, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert_same_results(lstm, rng.normal(size=(batch, 4, 2)))


def test_a_row_that_is_all_padding_keeps_its_state():
    x, mask = rng.normal(size=(3, 4, 2)), np.array([[True] * 4, [False] * 4, [False] * 3 + [True]])
    assert_same_results(lstm, x, mask=mask)


def test_both_directions():
    x = rng.normal(size=(4, 5, 2))
    assert_same_results(lambda: Bidirectional(lstm()), x, **flags(("mask",), 4, 5))


def test_stacked_cells():
    x = rng.normal(size=(4, 5, 2))

    def make() -> RNN:
        cells = [LSTMCell(3, dtype="float64"), GRUCell(2, dtype="float64", dropout=0.3, seed=1)]
        return RNN(StackedCells(cells), return_sequences=True, return_state=True)

    assert_same_results(make, x, **flags(("mask", "reset"), 4, 5))


def test_numbers_of_16_bits_are_summed_in_float32():
    """The state changes by a tenth of what bfloat16 can resolve at 1."""
    cell = ElmanCell(
        1,
        activation="linear",
        recurrent_initializer="ones",
        kernel_initializer="ones",
        dtype="mixed_bfloat16",
    )
    rnn = RNN(cell)
    x = np.full((1, 2000, 1), 2.0**-11, "float32")
    rnn(x)
    run = tf.function(lambda x: rnn(x, training=True))
    assert float(run(x)[0, 0]) == pytest.approx(2000 * 2.0**-11, rel=0.01)


def test_training_compiles_loops_and_inference_does_not():
    rnn = RNN(LSTMCell(3))
    x = tf.zeros((16, 4, 2))
    rnn(x)

    def compiled(training: bool) -> int:
        function = tf.function(lambda x: rnn(x, training=training))
        graph = function.get_concrete_function(x).graph.as_graph_def()
        return sum(f.attr["_XlaMustCompile"].b for f in graph.library.function)

    assert compiled(True) == 1, "one loop, which both halves of the batch share"
    assert compiled(False) == 0


@pytest.mark.slow
def test_an_export_holds_no_compiled_loop(tmp_path):
    model = keras.Sequential([keras.Input((None, 2)), Bidirectional(RNN(LSTMCell(3)))])
    model.compile("sgd", "mse")
    model.fit(np.zeros((16, 4, 2)), np.zeros((16, 6)), verbose=0)
    model.export(tmp_path / "export", verbose=False)
    assert b"_XlaMustCompile" not in (tmp_path / "export" / "saved_model.pb").read_bytes()


def test_gradients_of_gradients_need_plain_loops():
    rnn = RNN(GRUCell(3, dtype="float64"))
    x = tf.constant(rng.normal(size=(2, 3, 2)))
    rnn(x)

    def second(x: Tensor) -> Tensor:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(rnn(x, training=True) ** 2)
            slope = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(slope, x)

    with pytest.raises(ValueError, match=r"with seqkit\.plain_loops\(\):"):
        tf.function(second)(x)
    with plain_loops():
        assert np.all(np.isfinite(tf.function(second)(x)))


def test_tangents_need_plain_loops():
    rnn = RNN(GRUCell(3))
    x = tf.ones((2, 3, 2))
    rnn(x)

    @tf.function
    def tangent(x: Tensor) -> Tensor:
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = rnn(x, training=True)
        return accumulator.jvp(y)

    with pytest.raises(ValueError, match=r"with seqkit\.plain_loops\(\):"):
        tangent(x)


def test_a_subclass_with_a_step_of_its_own_trains_by_its_own_equations():
    class Doubled(GRUCell):
        def step(self, projected, states, prepared):
            output, states = super().step(projected, states, prepared)
            return 2 * output, states

    rnn = RNN(Doubled(3))
    x = tf.ones((2, 3, 2))
    wanted = rnn(x)
    np.testing.assert_allclose(tf.function(rnn)(x, training=True), wanted, rtol=1e-6)


def test_a_cell_without_known_derivatives_runs_the_plain_loop():
    cell = LSTMCell(3, activation="gelu")
    assert cell.gates() is None
    assert RNN(cell)(ops.ones((2, 3, 2)), training=True).shape == (2, 3)
