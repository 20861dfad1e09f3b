import dataclasses
import json
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.common.errors import UserError
from apps.copy_task.config import Config
from apps.copy_task.data import Batch, load
from apps.copy_task.evaluation import evaluate, read_sequences, validation
from datasets.algorithmic.tasks import Name, fixed_set, task
from datasets.formats.lines import DataError

SMALL = Config(bits=3, max_length=4, max_repeats=2)
COPY = Config(task="copy", bits=8, max_length=20, memory_size=128)


def copier(certain, flip=lambda bits: bits):
    """Return signatures of a model that predicts every bit with the same certainty."""

    def serve(bits):
        return {"probabilities": certain * flip(bits) + (1 - certain) * (1 - flip(bits))}

    return {"serving_default": serve}


def solver(config, split, wrong=0):
    """Return signatures of a model that is right except for some bits of the last outputs."""
    chosen = task(config.task, config.bits, config.max_repeats)
    sequences = [s for size in chosen.sizes for s in fixed_set(chosen, split, size)]
    answers = {s.inputs.tobytes(): s.targets for s in sequences}

    def serve(inputs):
        targets = np.stack([answers[row.tobytes()] for row in inputs.numpy()])
        if wrong:
            targets[:, -1, :wrong] = 1 - targets[:, -1, :wrong]
        return {"probabilities": tf.constant(targets)}

    return {"serving_default": serve}


def test_a_perfect_copier_has_no_errors_at_any_length(tmp_path):
    evaluation = evaluate(COPY, copier(1.0), tmp_path, "test")
    lengths = [10, 20, 30, 50, 80, 120, 200]
    names = [f"{metric}_{n}" for n in lengths for metric in ("bit_errors", "bits")]
    assert evaluation.scores == dict.fromkeys(names, 0.0)
    assert list(evaluation.scores) == names
    assert "-0.0" not in json.dumps(evaluation.scores)
    assert evaluation.size == {"sequences": 700, "target bits": 100 * 8 * sum(lengths)}


def test_an_inverting_copier_gets_every_bit_wrong(tmp_path):
    scores = evaluate(COPY, copier(0.0), tmp_path, "test").scores
    assert [scores[f"bit_errors_{n}"] for n in (10, 200)] == [80, 1600]
    assert scores["bits_10"] == pytest.approx(80 * 23)


def test_bits_are_the_cross_entropy_of_a_sequence(tmp_path):
    scores = evaluate(COPY, copier(0.875), tmp_path, "test").scores
    assert scores["bits_20"] == pytest.approx(-160 * np.log2(0.875))
    assert scores["bit_errors_20"] == 0


def test_undecided_and_nan_probabilities_are_errors(tmp_path):
    for probability in (0.5, np.nan):
        scores = evaluate(COPY, copier(probability), tmp_path, "test").scores
        assert scores["bit_errors_10"] == 80


def test_a_single_wrong_bit_counts_once(tmp_path):
    def first_bit_lost(bits):
        return tf.concat([1 - bits[:, :1, :1], bits[:, :1, 1:]], axis=2)

    def flip(bits):
        return tf.concat([first_bit_lost(bits), bits[:, 1:]], axis=1)

    evaluation = evaluate(COPY, copier(1.0, flip), tmp_path, "test")
    assert {evaluation.scores[f"bit_errors_{n}"] for n in (10, 120, 200)} == {1.0}
    header, first, *_ = evaluation.details.splitlines()
    assert header.split()[:2] == ["length", "sequences"]
    assert first.split() == ["10", "100", "80", "1.00", "0", "23.00"]


def test_baselines_are_guessing_and_zeros(tmp_path):
    baselines = evaluate(COPY, copier(1.0), tmp_path, "test").baselines
    assert baselines["guessing"]["bit_errors_20"] == 80
    assert baselines["guessing"]["bits_20"] == 160
    ones = np.mean([s.targets.sum() for s in fixed_set(task("copy"), "test", (20,))])
    assert baselines["zeros"]["bit_errors_20"] == pytest.approx(ones)
    assert "bits_20" not in baselines["zeros"]


def test_splits_have_different_sequences(tmp_path):
    checksums = {evaluate(COPY, copier(1.0), tmp_path, s).checksum for s in ("dev", "test")}
    assert len(checksums) == 2
    with pytest.raises(UserError, match="no split 'train'; choose one of dev, test"):
        evaluate(COPY, copier(1.0), tmp_path, "train")


@pytest.mark.parametrize("name", [name for name in get_args(Name) if name != "copy"])
def test_the_other_tasks_are_scored_on_whole_inputs(name, tmp_path):
    config = dataclasses.replace(SMALL, task=name)
    evaluation = evaluate(config, solver(config, "dev"), tmp_path, "dev")
    assert set(evaluation.scores.values()) == {0.0}
    evaluation = evaluate(config, solver(config, "dev", wrong=2), tmp_path, "dev")
    errors = {n: e for n, e in evaluation.scores.items() if n.startswith("bit_errors")}
    assert set(errors.values()) == {2.0}
    sizes = {
        "repeat_copy": ["10x10", "20x10", "10x20"],
        "associative_recall": ["6", "8", "10", "12", "15", "20"],
        "priority_sort": ["20", "30"],
    }
    assert list(errors) == [f"bit_errors_{size}" for size in sizes[name]]


def test_a_file_is_scored_over_all_its_sequences(tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("10110010 01110001\n00000001\n11111111 00000000\n")
    evaluation = evaluate(COPY, copier(1.0, tf.zeros_like), tmp_path, "test", file)
    # All ones are wrong: 8, 1 and 8.
    assert evaluation.scores == {
        "bit_errors": pytest.approx(17 / 3),
        "bits": pytest.approx(23 * 17 / 3),
    }
    assert evaluation.baselines["guessing"]["bit_errors"] == pytest.approx(40 / 6)
    assert evaluation.baselines["zeros"]["bit_errors"] == pytest.approx(17 / 3)
    assert evaluation.size == {"sequences": 3, "target bits": 40}
    rows = [line.split()[:4] for line in evaluation.details.splitlines()[1:]]
    assert rows == [["1", "1", "8", "1.00"], ["2", "2", "16", "8.00"]]


def test_lengths_beyond_the_memory_are_reported(tmp_path):
    small = dataclasses.replace(COPY, memory_size=100)
    note = "longer than the memory of 100 slots: 120, 200"
    assert note in evaluate(small, copier(1.0), tmp_path, "test").details
    no_memory = dataclasses.replace(small, cell="lstm")
    assert "memory" not in evaluate(no_memory, copier(1.0), tmp_path, "test").details


def test_only_copy_takes_a_file(tmp_path):
    config = dataclasses.replace(SMALL, task="priority_sort")
    with pytest.raises(UserError, match=r"own\.txt: .* the task is priority_sort"):
        evaluate(config, {}, tmp_path, "test", tmp_path / "own.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"own\.txt: empty; write one sequence per line"),
        ("101\n\n110\n", r"own\.txt, line 2: no vector"),
        ("101 010\n110 11\n", r"own\.txt, line 2: vector 2: 2 bits, but the model has 3"),
        ("101\n1O1\n", r"own\.txt, line 2: vector 1: 'O' is not a bit"),
    ],
)
def test_errors_in_a_file_name_the_line(content, message, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text(content)
    with pytest.raises(DataError, match=message):
        read_sequences(file, 3)


def test_a_file_is_read(tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("101  010\r\n\t111 \n")
    first, second = read_sequences(file, 3)
    np.testing.assert_array_equal(first, [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(second, [[1, 1, 1]])
    with pytest.raises(DataError, match="gone: No such file"):
        read_sequences(tmp_path / "gone", 3)


def test_the_curve_is_drawn(tmp_path):
    config = dataclasses.replace(SMALL, task="repeat_copy")
    evaluation = evaluate(config, solver(config, "dev"), tmp_path, "dev")
    curves = {line.get_label(): line.get_xydata() for line in evaluation.picture().axes[0].lines}
    assert list(curves) == ["NTM, 10 repeats", "NTM, 20 repeats"]
    np.testing.assert_array_equal(curves["NTM, 10 repeats"], [[10, 0], [20, 0]])


class Constant(keras.Model):
    """Model whose logits are the same at every step."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def call(self, inputs):
        shape = (*keras.ops.shape(inputs)[:2], len(self.logits))
        return keras.ops.broadcast_to(keras.ops.convert_to_tensor(self.logits), shape)


def test_validation_counts_wrong_bits_of_the_longest_sequences():
    data = load(SMALL)
    model = Constant([-2.0, -2.0, 2.0])
    scores = validation(SMALL, model, data)()
    answers = data.dev.targets[:, -4:]
    wrong = answers[..., :2].sum() + (1 - answers[..., 2]).sum()
    assert scores["bit_errors"] == pytest.approx(wrong / 100)
    nats = np.log1p(np.exp(2)) * wrong + np.log1p(np.exp(-2)) * (1200 - wrong)
    assert scores["loss"] == pytest.approx(nats / 1200)
    assert list(scores) == ["bit_errors", "loss"]


@pytest.mark.filterwarnings("ignore:invalid value")
def test_validation_counts_nan_as_an_error():
    scores = validation(SMALL, Constant([np.nan] * 3), load(SMALL))()
    assert scores["bit_errors"] == 12


def test_prediction_gain_gets_the_loss_per_step_of_each_length():
    config = dataclasses.replace(SMALL, curriculum="prediction_gain")
    data = load(config)
    scores = validation(config, Constant([0.0] * 3), data)()
    assert list(scores) == ["bit_errors", "loss", *(f"loss_{n}" for n in range(1, 5))]
    for n in range(1, 5):
        assert scores[f"loss_{n}"] == pytest.approx(np.log(2) * 3 * n / (2 * n + 2))
    assert all(isinstance(batch, Batch) for batch in data.fixed_batches.values())
