import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit import RNN, ElmanCell, NTMCell
from seqkit.diagnostics import NanGuard
from seqkit.diagnostics.nan_guard import _from_npz, main, replay

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.standard_normal((12, 3, 2)).astype("float32")
TARGETS = RANDOM.standard_normal((12, 3, 1)).astype("float32")


def model(loss="mse", memory=False, jit_compile=False, **compile_kwargs):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, 2))
    cell = NTMCell(keras.layers.Dense(4), memory_size=5, word_size=3) if memory else ElmanCell(4)
    x = RNN(cell, return_sequences=True, name="memory")(inputs)
    x = keras.layers.Dropout(0.3)(x)
    built = keras.Model(inputs, keras.layers.Dense(1)(x))
    built.compile(keras.optimizers.Adam(0.01), loss, jit_compile=jit_compile, **compile_kwargs)
    return built


def fit(built, guard, inputs=INPUTS, targets=TARGETS, epochs=1):
    data = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(4)
    return built.fit(data, epochs=epochs, verbose=0, callbacks=[guard])


def poisoned(where, value=np.nan):
    targets = TARGETS.copy()
    targets[where] = value
    return targets


def test_it_stops_at_the_first_non_finite_loss(tmp_path, capsys):
    guard = NanGuard(tmp_path / "nan.zip")
    built = model(memory=True, jit_compile="auto")
    fit(built, guard, targets=poisoned(5))  # in the second of three batches
    assert built.optimizer.iterations == 1  # restored to before that step
    assert guard.found == "loss is not finite"
    assert str(guard.path) in capsys.readouterr().err
    found = replay(guard.path)
    assert np.isnan(found["loss"]) and found["facts"]["step"] == 1
    assert len(found["gradients"]) == len(built.trainable_variables)
    assert found["first"] == {}  # the network was finite; the target wasn't


def test_it_saves_weights_seeds_and_batch_from_before_the_step(tmp_path):
    guard, stopped, normal = NanGuard(tmp_path / "nan.zip"), model(), model()
    fit(stopped, guard, targets=poisoned(5))
    fit(normal, keras.callbacks.Callback(), INPUTS[:4], TARGETS[:4])  # the step before
    for ours, theirs in zip(stopped.variables, normal.variables, strict=True):
        # Compiled for another number of batches, a step may round differently.
        np.testing.assert_allclose(np.array(ours), np.array(theirs), rtol=1e-5, atol=1e-7)
    with zipfile.ZipFile(guard.path) as archive:
        inputs = _from_npz(archive.read("batch.npz"))["0"]
    np.testing.assert_array_equal(inputs, INPUTS[4:8])


def test_it_detects_a_non_finite_gradient(tmp_path):
    def root(y, p):  # of zero: 0, with an infinite gradient
        return keras.ops.sqrt(keras.ops.sum(keras.ops.abs(p * 0), axis=-1))

    keras.saving.register_keras_serializable("tests.nan_guard")(root)
    guard = NanGuard(tmp_path / "nan.zip")
    fit(model(loss=root), guard)
    assert guard.found and "loss" not in guard.found
    found = replay(guard.path)
    assert found["loss"] == 0 and found["gradients"] and found["variables"]


def test_the_trace_gives_the_time_step(tmp_path, capsys):
    guard = NanGuard(tmp_path / "nan.zip")
    inputs = INPUTS.copy()
    inputs[9, 1] = np.inf
    fit(model(memory=True), guard, inputs=inputs)
    assert main(["--replay", str(guard.path)]) == 0
    printed = capsys.readouterr().out
    assert "memory/read_weighting: not finite from time step 1 on" in printed
    assert printed.rstrip().endswith("reproduced")


def test_a_finite_training_is_unchanged(tmp_path):
    guard = NanGuard(tmp_path / "nan.zip")
    watched, unwatched = model(), model()
    losses = fit(watched, guard, epochs=2).history["loss"]
    alone = fit(unwatched, keras.callbacks.Callback(), epochs=2).history["loss"]
    np.testing.assert_allclose(
        losses, alone, rtol=1e-5
    )  # traced differently, it may round differently
    assert not guard.path.exists() and not guard.found


def test_a_file_of_another_kind_is_reported(tmp_path, capsys):
    path = tmp_path / "nan.zip"
    path.write_text("no archive")
    assert main(["--replay", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_several_steps_per_execution_are_refused(tmp_path):
    with pytest.raises(RuntimeError, match="steps_per_execution=1"):
        fit(model(steps_per_execution=2), NanGuard(tmp_path / "nan.zip"))
