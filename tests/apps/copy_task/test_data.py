import dataclasses
import time
from typing import get_args

import numpy as np
import pytest

from apps.common.errors import UserError
from apps.copy_task import curriculum
from apps.copy_task.config import Config
from apps.copy_task.data import load
from datasets.algorithmic.tasks import Name

SMALL = Config(bits=3, max_length=4, max_repeats=2, batch_size=5, steps_per_epoch=6, seed=1)


def content(batches):
    return [[array.tolist() for array in batch] for batch in batches.as_numpy_iterator()]


def lengths(inputs):
    """Return the number of vectors between the marks of copy."""
    end = inputs[:, :, -1].argmax(axis=1)
    assert (inputs[:, 0, -2] == 1).all()
    return (end - 1).tolist()


@pytest.mark.parametrize("name", get_args(Name))
def test_batches_have_one_shape_and_weights_mark_the_targets(name):
    data = load(dataclasses.replace(SMALL, task=name))
    batches = list(data.batches(1).as_numpy_iterator())
    assert len(batches) == data.steps_per_epoch == 6
    for inputs, targets, weights in batches:
        assert inputs.shape == (5, data.time, data.input_size)
        assert targets.shape == (5, data.time, data.output_size)
        assert weights.shape == (5, data.time)
        assert (weights.sum(axis=1) > 0).all() and np.isin(weights, (0, 1)).all()
        assert not targets[weights == 0].any()
    assert data.dev.inputs.shape == (100, data.time, data.input_size)
    spec = data.batches(1).element_spec
    assert [part.shape.as_list() for part in spec] == [list(part.shape) for part in batches[0]]


@pytest.mark.parametrize("name", ["batch_size", "steps_per_epoch"])
def test_an_epoch_that_takes_too_much_memory_is_refused(name):
    with pytest.raises(UserError, match=r"takes [\d,]+ GB, more than 4; lower steps_per_epoch, "):
        load(dataclasses.replace(SMALL, **{name: 10**7}))


def test_the_length_of_each_sequence_is_drawn_separately():
    data = load(SMALL)
    drawn = [lengths(inputs) for inputs, _, _ in data.batches(1).as_numpy_iterator()]
    assert {n for row in drawn for n in row} == {1, 2, 3, 4}
    assert any(len(set(row)) > 1 for row in drawn)
    longest = load(dataclasses.replace(SMALL, curriculum="none"))
    for inputs, _, weights in longest.batches(1).as_numpy_iterator():
        assert lengths(inputs) == [4] * 5 and (weights.sum(axis=1) == 4).all()


def test_batches_depend_only_on_seed_epoch_and_step():
    data = load(SMALL)
    first = content(data.batches(1))
    assert content(load(SMALL).batches(1)) == first
    assert content(data.batches(1, first_step=4)) == first[4:]
    others = [
        content(data.batches(2)),
        content(load(dataclasses.replace(SMALL, seed=2)).batches(1)),
    ]
    every = [str(batch) for batches in [first, *others] for batch in batches]
    assert len(set(every)) == 18


def test_prediction_gain_depends_only_on_the_history():
    data = load(dataclasses.replace(SMALL, curriculum="prediction_gain", batch_size=50))
    history = [
        {f"val_loss_{n}": 1 - 0.1 * epoch * (n == 3) for n in range(1, 5)} for epoch in range(9)
    ]
    drawn = [n for inputs, _, _ in data.batches(10, 0, history) for n in lengths(inputs.numpy())]
    assert drawn.count(3) > 0.5 * len(drawn)
    again = load(data.config).batches(10, 4, history)
    assert content(again) == content(data.batches(10, 0, history))[4:]


def test_the_sequences_of_each_length_are_fixed():
    data = load(dataclasses.replace(SMALL, curriculum="prediction_gain"))
    other = load(dataclasses.replace(data.config, seed=9))
    assert list(data.fixed_batches) == curriculum.lengths(SMALL).tolist()
    for length, batch in data.fixed_batches.items():
        assert lengths(batch.inputs) == [length] * 10
        np.testing.assert_array_equal(batch.inputs, other.fixed_batches[length].inputs)
    np.testing.assert_array_equal(data.dev.inputs, other.dev.inputs)


def test_the_checksum_covers_what_training_depends_on():
    changes = [{}, {"seed": 2}, {"bits": 4}, {"max_length": 5}, {"task": "priority_sort"}]
    checksums = [load(dataclasses.replace(SMALL, **change)).checksum for change in changes]
    assert len(set(checksums)) == len(changes)
    assert load(SMALL).checksum == checksums[0]
    assert load(dataclasses.replace(SMALL, units=7)).checksum == checksums[0]


def test_nothing_is_written_into_a_run_folder(tmp_path):
    load(SMALL).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_generating_a_batch_of_the_copy_task_is_fast():
    data = load(Config(task="copy", max_length=20, batch_size=16, curriculum="uniform"))
    likely = curriculum.probabilities(data.config, 1, ())
    seconds = []
    for step in range(20):
        began = time.perf_counter()
        data.batch(1, step, likely)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.002


def test_the_sequences_are_described():
    assert load(SMALL).describe() == (
        "train, dev: random sequences of copy, of length 1 to 4, with vectors of 3 bits"
    )
