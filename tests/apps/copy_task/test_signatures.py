import functools
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from keras import Input, Model, layers, utils

from apps import copy_task
from apps.copy_task.config import Config
from apps.copy_task.served import ServedSequenceModel, fingerprint, with_markers
from apps.copy_task.signatures import signatures_of
from apps.copy_task.tasks import copy_sequence
from datasets.algorithmic.tasks import Name
from seqkit import RNN, LSTMCell, NTMCell

BITS, SLOTS = 3, 8
CELLS = {
    "ntm": lambda: NTMCell(layers.Dense(8, activation="tanh"), SLOTS, 4, num_reads=2),
    "ntm_lstm": lambda: NTMCell(LSTMCell(6), SLOTS, 4),
    "lstm": lambda: LSTMCell(6),
}


@functools.cache
def model_of(cell, inputs=BITS + 2, outputs=BITS, seed=0):
    utils.set_random_seed(seed)
    sequences = Input((None, inputs))
    hidden = RNN(CELLS[cell](), return_sequences=True, name="rnn")(sequences)
    return Model(sequences, layers.Dense(outputs, name="logits")(hidden))


def functions_of(model, copies=True):
    """Return the signatures as functions, which keep the module that owns the variables alive."""
    signatures = signatures_of(ServedSequenceModel(model, copies))
    return {name: signature.concrete for name, signature in signatures.items()}


@pytest.fixture(scope="module", params=list(CELLS))
def cell(request):
    return request.param


@pytest.fixture(scope="module")
def model(cell):
    return model_of(cell)


@pytest.fixture(scope="module")
def functions(model):
    return functions_of(model)


@pytest.fixture(scope="module")
def ntm():
    return functions_of(model_of("ntm"))


@pytest.fixture(scope="module")
def sorting():
    """Return a model of another task, whose inputs are not bits, and its signatures."""
    model = model_of("lstm", inputs=4, outputs=2)
    return model, functions_of(model, copies=False)


def bits_of(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2, shape).astype("float32")


def steps(functions, inputs):
    """Feed vectors one at a time; return the probabilities (batch, time, bits) and the last
    state."""
    state, probabilities = functions["init"](batch_size=tf.constant(len(inputs))), []
    for vector in tf.unstack(tf.constant(inputs), axis=1):
        state = functions["step"](vector=vector, **state)
        probabilities.append(state.pop("probabilities"))
    return np.stack(probabilities, axis=1), state


def test_the_marks_are_those_of_training():
    bits = bits_of(4, 5, BITS)
    expected = np.stack([copy_sequence(row).inputs for row in bits])
    np.testing.assert_array_equal(with_markers(tf.constant(bits)), expected)


def test_answers_equal_those_of_the_model(model, functions):
    bits = bits_of(2, 5, BITS)
    answer = functions["serving_default"](bits=tf.constant(bits))
    inputs = np.stack([copy_sequence(row).inputs for row in bits])
    expected = tf.sigmoid(model(inputs)[:, 7:])
    assert answer["probabilities"].shape == answer["copy"].shape == (2, 5, BITS)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    assert answer["copy"].dtype == tf.int32
    np.testing.assert_array_equal(answer["copy"], expected > 0.5)
    assert 0 < answer["copy"].numpy().mean() < 1


def test_single_steps_equal_the_whole_sequence(functions):
    bits = bits_of(2, 5, BITS)
    whole = functions["serving_default"](bits=tf.constant(bits))["probabilities"]
    probabilities, state = steps(functions, with_markers(tf.constant(bits)))
    np.testing.assert_allclose(probabilities[:, 7:], whole, atol=1e-6)
    assert len(set(state["model"].numpy().tolist())) == 1
    # The states differ because of the bits, since the last inputs are the same.
    _, other = steps(functions, with_markers(1 - tf.constant(bits)))
    assert np.abs(state["state_0"] - other["state_0"]).max() > 1e-4


def test_streams_in_one_batch_may_have_started_at_different_times(functions):
    inputs = with_markers(tf.constant(bits_of(2, 3, BITS)))
    expected, _ = steps(functions, inputs)
    _, ahead = steps(functions, inputs[:1, :4])
    _, behind = steps(functions, inputs[1:, :2])
    both = {name: tf.concat([ahead[name], behind[name]], 0) for name in ahead}
    vector = tf.stack([inputs[0, 4], inputs[1, 2]])
    answer = functions["step"](vector=vector, **both)["probabilities"]
    np.testing.assert_allclose(answer, [expected[0, 4], expected[1, 2]], atol=1e-6)


def test_the_weightings_are_those_of_the_cell_at_each_step(ntm):
    model = model_of("ntm")
    bits = bits_of(2, 3, BITS)
    answer = ntm["serving_default"](bits=tf.constant(bits))
    assert answer["read_weighting"].shape == (2, 8, 2, SLOTS)
    assert answer["write_weighting"].shape == (2, 8, 1, SLOTS)
    rnn = model.get_layer("rnn")
    states = rnn.get_initial_state(2)
    for time, vector in enumerate(tf.unstack(with_markers(tf.constant(bits)), axis=1)):
        _, states = rnn.step(vector, states)
        for name, weighting in rnn.cell.trace(states).items():
            np.testing.assert_allclose(answer[name][:, time], weighting, atol=1e-6)


def test_a_model_without_a_memory_has_no_weightings():
    answer = functions_of(model_of("lstm"))["serving_default"](
        bits=tf.constant(bits_of(1, 9, BITS))
    )
    assert set(answer) == {"copy", "probabilities"}


@pytest.mark.parametrize(("length", "exceeds"), [(SLOTS, False), (SLOTS + 1, True)])
def test_more_vectors_than_slots_are_copied_and_reported(ntm, length, exceeds):
    answer = ntm["serving_default"](bits=tf.constant(bits_of(2, length, BITS)))
    assert answer["exceeds_memory"].numpy().tolist() == [exceeds, exceeds]
    assert answer["copy"].shape == (2, length, BITS)


def test_answers_do_not_depend_on_the_batch(functions):
    bits = bits_of(5, 4, BITS)
    together = functions["serving_default"](bits=tf.constant(bits))
    for row in range(5):
        alone = functions["serving_default"](bits=tf.constant(bits[row : row + 1]))
        for name in together:
            np.testing.assert_allclose(alone[name][0], together[name][row], atol=1e-6)


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (np.zeros((2, 0, BITS)), r"assertion failed: \[bits: no vector"),
        (np.full((2, 4, BITS), 0.5), r"assertion failed: \[bits: the values must be 0 or 1"),
        (np.full((2, 4, BITS), -1), "bits: the values must be 0 or 1"),
        (np.full((2, 4, BITS), np.nan), "bits: the values must be 0 or 1"),
        (np.zeros((2, 4, BITS + 1)), r"tensor bits \[2,4,4\] is not compatible .* \[\?,\?,3\]"),
        (np.zeros((4, BITS)), r"tensor bits \[4,3\] is not compatible"),
    ],
)
def test_bad_bits_get_a_one_line_error(ntm, bits, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ntm["serving_default"](bits=tf.constant(bits, tf.float32))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vector": np.full((2, BITS + 2), 2)}, r"\[vector: the values must be 0 or 1"),
        ({"vector": np.zeros((2, BITS))}, r"tensor vector \[2,3\] is not compatible .* \[\?,5\]"),
        ({"vector": np.zeros((3, BITS + 2))}, r"\[step: vector, state and model must have"),
        ({"state_0": np.zeros((2, 5))}, r"tensor state_0 \[2,5\] is not compatible"),
        ({"state_1": np.zeros((1, 2 * SLOTS))}, r"\[step: vector, state and model must have"),
    ],
)
def test_a_bad_step_gets_a_one_line_error(ntm, changes, message):
    tensors = {"vector": np.zeros((2, BITS + 2)), **ntm["init"](batch_size=tf.constant(2))}
    ntm["step"](**{**tensors, "vector": tf.constant(tensors["vector"], tf.float32)})
    changed = {**tensors, **changes}
    changed = {k: tf.cast(v, tf.int64 if k == "model" else tf.float32) for k, v in changed.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ntm["step"](**changed)


@pytest.mark.parametrize("cell", ["ntm", "ntm_lstm"])
def test_the_state_of_another_model_is_refused(ntm, cell):
    """Of a model with other weights, and of one with other sizes."""
    other = ServedSequenceModel(model_of(cell, seed=1), True).init(tf.constant(1))
    state = {name: other[name] for name in ntm["init"](batch_size=tf.constant(1))}
    vector = tf.zeros((1, BITS + 2))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="this state belongs to another model; start"
    ):
        ntm["step"](vector=vector, **state)


def test_an_empty_batch_is_refused(ntm):
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch_size: must be at least 1"):
        ntm["init"](batch_size=tf.constant(0))


def test_the_fingerprint_depends_only_on_the_weights():
    build = model_of.__wrapped__
    first, again, other = (fingerprint(build("lstm", seed=seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert 0 <= first < 2**53  # an exact number in any JSON client


def test_other_tasks_take_the_whole_sequence(sorting):
    model, functions = sorting
    inputs = np.random.default_rng(0).uniform(-1, 1, (2, 5, 4)).astype("float32")
    answer = functions["serving_default"](inputs=tf.constant(inputs))
    assert set(answer) == {"probabilities"}
    np.testing.assert_allclose(answer["probabilities"], tf.sigmoid(model(inputs)), atol=1e-6)
    np.testing.assert_allclose(steps(functions, inputs)[0], answer["probabilities"], atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 0, 4)), r"\[inputs: no step"),
        (np.full((2, 3, 4), np.inf), r"\[inputs: the values must be finite"),
        (np.zeros((2, 3, 5)), r"tensor inputs \[2,3,5\] is not compatible"),
    ],
)
def test_bad_inputs_of_other_tasks_get_a_one_line_error(sorting, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sorting[1]["serving_default"](inputs=tf.constant(inputs, tf.float32))
    state = sorting[1]["init"](batch_size=tf.constant(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="vector: the values must be finite"):
        sorting[1]["step"](vector=tf.fill((2, 4), np.nan), **state)


@pytest.mark.parametrize("task", get_args(Name))
def test_each_task_is_exported_with_examples(task, tmp_path):
    config = Config(task=task, cell="lstm", units=4, bits=2, max_length=3)
    copy_task.build(config, copy_task.load(config)).save(tmp_path / "model.keras")
    (exported,) = copy_task.export(config, tmp_path)
    assert (exported.name, set(exported.examples)) == ("copy_task", set(exported.signatures))
    for name, signature in exported.signatures.items():
        for example in exported.examples[name]:
            tensors = {key: tf.constant(value) for key, value in example.items()}
            assert signature.concrete(**tensors).keys() == signature.outputs.keys()
    assert ("start marker (1" in exported.notes) == (task == "copy")


@pytest.mark.slow
@pytest.mark.parametrize("cell", list(CELLS))
def test_all_signatures_compile_under_xla(cell):
    signatures = signatures_of(ServedSequenceModel(model_of(cell), True))
    bits = tf.constant(bits_of(2, 4, BITS))
    state = signatures["init"].concrete(batch_size=tf.constant(2))
    arguments = {
        "serving_default": {"bits": bits},
        "init": {"batch_size": tf.constant(2)},
        "step": {"vector": with_markers(bits)[:, 1], **state},
    }
    for name, signature in signatures.items():
        compiled = tf.function(signature.function, jit_compile=True, autograph=False)
        answer = compiled(**arguments[name])
        for key, expected in signature.concrete(**arguments[name]).items():
            np.testing.assert_allclose(answer[key], expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(cell="lstm", bits=4, max_length=6),
        Config(task="priority_sort", bits=4, max_length=4),
    ],
    ids=["ntm", "lstm", "priority_sort"],
)
def test_an_export_runs_without_seqkit_and_is_small(config, tmp_path):
    from seqkit.export import self_test, write

    data = copy_task.load(config)
    copy_task.build(config, data).save(tmp_path / "model.keras")
    (exported,) = copy_task.export(config, tmp_path)
    version = write(
        tmp_path / exported.name, exported.module, exported.signatures, exported.examples, ""
    )
    report = self_test(version)
    assert set(report["signatures"]) == {"serving_default", "init", "step"}
    assert sum(path.stat().st_size for path in version.rglob("*") if path.is_file()) < 2e6
    if config.task == "copy":
        loaded = tf.saved_model.load(version)
        bits = tf.constant(bits_of(1, 3, config.bits + 1))
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"tensor bits .* not compat"):
            loaded.signatures["serving_default"](bits=bits)
