import hashlib
from typing import get_args

import numpy as np
import pytest

from datasets.algorithmic.tasks import (
    Name,
    associative_recall_sequence,
    copy_sequence,
    fixed_set,
    priority_sort_sequence,
    repeat_copy_sequence,
    task,
)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def bits_and_marks(rows):
    return np.array([[float(c) for c in row] for row in rows.split()], "float32")


def test_copy_by_hand():
    sequence = copy_sequence(np.array([[1, 0, 1], [0, 0, 1]]))
    inputs = bits_and_marks("00010 10100 00100 00001 00000 00000")
    np.testing.assert_array_equal(sequence.inputs, inputs)
    np.testing.assert_array_equal(sequence.targets, bits_and_marks("000 000 000 000 101 001"))
    assert sequence.weights.tolist() == [0, 0, 0, 0, 1, 1]


def test_repeat_copy_by_hand():
    sequence = repeat_copy_sequence(np.array([[1, 0], [0, 1]]), repeats=3, max_repeats=3)
    number = np.sqrt(3 / 2)  # the largest of 1, 2, 3, normalized
    np.testing.assert_allclose(sequence.inputs[3], [0, 0, 0, 1, number], rtol=1e-6)
    sequence.inputs[3, 4] = 0
    inputs = bits_and_marks("00100 10000 01000 00010" + " 00000" * 7)
    np.testing.assert_array_equal(sequence.inputs, inputs)
    answer = bits_and_marks("100 010 100 010 100 010 001")
    np.testing.assert_array_equal(sequence.targets[-7:], answer)
    assert sequence.weights.tolist() == [0] * 4 + [1] * 7
    assert not sequence.targets[:4].any()


def test_the_number_of_repeats_has_mean_0_and_variance_1():
    bits = np.ones((1, 2))
    numbers = [repeat_copy_sequence(bits, n, 10).inputs[2, 4] for n in range(1, 11)]
    assert np.mean(numbers) == pytest.approx(0, abs=1e-6)
    assert np.var(numbers) == pytest.approx(1, rel=1e-6)
    assert repeat_copy_sequence(bits, 1, 1).inputs[2, 4] == 0  # a constant number has no variance


def test_associative_recall_by_hand():
    items = np.array([[[1], [1], [0]], [[0], [1], [0]], [[1], [0], [1]]])
    sequence = associative_recall_sequence(items, query=1)
    item_steps = "010 100 100 000 010 000 100 000 010 100 000 100"
    query_steps = "001 000 100 000 001"
    inputs = bits_and_marks(f"{item_steps} {query_steps} 000 000 000")
    np.testing.assert_array_equal(sequence.inputs, inputs)
    np.testing.assert_array_equal(sequence.targets[-3:], [[1], [0], [1]])
    assert sequence.weights.tolist() == [0] * 17 + [1] * 3


def test_priority_sort_targets_are_the_highest_four_fifths_in_descending_order():
    bits = np.eye(10)
    priorities = np.array([0.1, -1, 0.9, 0.2, 0.3, -0.5, 0.8, 0, 0.7, -0.9])
    sequence = priority_sort_sequence(bits, priorities)
    order = sequence.targets[sequence.weights > 0].argmax(axis=1)
    assert order.tolist() == [2, 6, 8, 4, 3, 0, 7, 5]
    np.testing.assert_allclose(sequence.inputs[1:11, 12], priorities, rtol=1e-6)
    marks = np.argwhere(sequence.inputs[:, 10:12])
    assert marks.tolist() == [[0, 0], [11, 1]]
    assert priority_sort_sequence(np.eye(20), np.arange(20.0)).weights.sum() == 16  # the paper's
    assert priority_sort_sequence(np.eye(1), np.ones(1)).weights.sum() == 1


@pytest.mark.parametrize("name", get_args(Name))
def test_sequences_have_the_shapes_of_their_task(name, random):
    chosen = task(name, bits=3, max_repeats=4)
    for length in range(chosen.min_length, 8):
        inputs, targets, weights = sequence = chosen.sample(random, length)
        assert {array.dtype for array in sequence} == {np.dtype("float32")}
        assert inputs.shape == (len(weights), chosen.input_size)
        assert targets.shape == (len(weights), chosen.output_size)
        due = int(weights.sum())
        # The answer is due last, while the inputs are zeros; other targets are zeros.
        assert weights.tolist() == [0] * (len(weights) - due) + [1] * due
        assert not inputs[-due:].any() and not targets[:-due].any()
        assert inputs[-due - 1].any()
        assert np.isin(targets, (0, 1)).all()


@pytest.mark.parametrize("name", get_args(Name))
def test_the_size_determines_the_number_of_steps(name):
    chosen = task(name, bits=3)
    for size in chosen.sizes:
        steps = {len(chosen.sample(np.random.default_rng(n), *size).inputs) for n in range(5)}
        assert len(steps) == 1


def test_repeats_are_drawn_from_one_to_the_maximum(random):
    chosen = task("repeat_copy", bits=1, max_repeats=3)
    drawn = {int(chosen.sample(random, 1).weights.sum()) - 1 for _ in range(50)}
    assert drawn == {1, 2, 3}


def test_every_item_except_the_last_can_be_the_query(random):
    chosen = task("associative_recall", bits=8)
    queries = set()
    for _ in range(50):
        inputs = chosen.sample(random, 3).inputs
        (begin,) = np.flatnonzero(inputs[:-4, 9])[:1]
        items = inputs[:12].reshape(3, 4, 10)[:, 1:, :8]
        matches = (items == inputs[begin + 1 : begin + 4, :8]).all(axis=(1, 2))
        queries.add(int(np.flatnonzero(matches)[0]))
    assert queries == {0, 1}


def test_fixed_sets_differ_by_split_and_size():
    chosen = task("copy")
    dev, test = (fixed_set(chosen, split, (10,)) for split in ("dev", "test"))
    assert len(dev) == len(test) == 100
    rows = {sequence.targets.tobytes() for sequence in [*dev, *test]}
    assert len(rows) == 200
    beginnings = {s.inputs[1:11].tobytes() for s in fixed_set(chosen, "test", (20,))}
    assert not beginnings & {s.inputs[1:11].tobytes() for s in test}


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("copy", "4379a4dc8257"),
        ("repeat_copy", "2243ffd89c19"),
        ("associative_recall", "87dfa322b392"),
        ("priority_sort", "8248d9bf5cdf"),
    ],
)
def test_fixed_sets_of_published_figures_are_unchanged(name, digest):
    chosen = task(name)
    sequences = fixed_set(chosen, "test", chosen.sizes[0])
    content = b"".join(array.tobytes() for sequence in sequences for array in sequence)
    assert hashlib.sha256(content).hexdigest()[:12] == digest


def test_invalid_names_sizes_and_splits_are_refused():
    with pytest.raises(ValueError, match="no task 'sort'; choose one of copy, repeat_copy"):
        task("sort")
    with pytest.raises(ValueError, match="at least 1, not 0, 10"):
        task("copy", bits=0)
    with pytest.raises(ValueError, match="no split 'train'; choose one of dev, test"):
        fixed_set(task("copy"), "train", (10,))
