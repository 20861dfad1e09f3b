"""The algorithmic tasks of Graves et al. 2014, Neural Turing Machines, on random bits.

The inputs of a task are vectors of random bits, followed by zeros while the answer is due: the
same vectors, the vectors repeated, the successor of one of them, or most of them, sorted. Channels
after the bits mark where the parts of a sequence begin and end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, get_args

import numpy as np

Name = Literal["copy", "repeat_copy", "associative_recall", "priority_sort"]
Split = Literal["dev", "test"]

ITEM = 3  # vectors per item of associative recall
ITEM_BITS = 6  # bits per vector of an item, in the paper
SEQUENCES = 100  # sequences of each size in a fixed set
_SEED = 14105401  # seed of the fixed sets


class Sequence(NamedTuple):
    """Inputs and targets, float32."""

    inputs: np.ndarray  # (time, input_size)
    targets: np.ndarray  # (time, output_size), 0 or 1
    weights: np.ndarray  # (time,), 1 where a target is due, otherwise 0


@dataclass(frozen=True)
class Task:
    """A task: the shape of its sequences, and how to draw one."""

    name: Name
    input_size: int
    output_size: int
    min_length: int
    sample: Callable[..., Sequence]
    """(random, length): draw a sequence with this number of vectors or items; repeat copy also
    accepts (random, length, repeats). These numbers determine the number of steps."""
    sizes: tuple[tuple[int, ...], ...]
    """Sizes of the fixed sets: the arguments of `sample` after `random`."""


def task(name: Name, bits: int = 8, max_repeats: int = 10) -> Task:
    """Return a task.

    Args:
        name: Name of the task, which the function `<name>_sequence` defines.
        bits: Bits per vector; 8 in the paper, except for associative recall with 6.
        max_repeats: Largest number of repeats that repeat copy draws in training.

    Raises:
        ValueError: If there is no such task, or bits or max_repeats is less than 1.

    Example:
        >>> task("copy").input_size, task("copy").sample(np.random.default_rng(0), 3).inputs.shape
        (10, (8, 10))
    """
    if name not in get_args(Name):
        raise ValueError(f"no task {name!r}; choose one of {', '.join(get_args(Name))}")
    if bits < 1 or max_repeats < 1:
        raise ValueError(f"bits and max_repeats must be at least 1, not {bits}, {max_repeats}")
    if name == "copy":
        lengths = (10, 20, 30, 50, 80, 120, 200)
        return Task(name, bits + 2, bits, 1, partial(_copy, bits), _sizes(lengths))
    if name == "repeat_copy":
        sizes = ((10, 10), (20, 10), (10, 20))  # length, repeats
        sample = partial(_repeat_copy, bits, max_repeats)
        return Task(name, bits + 3, bits + 1, 1, sample, sizes)
    if name == "associative_recall":
        lengths = (6, 8, 10, 12, 15, 20)
        return Task(name, bits + 2, bits, 2, partial(_associative_recall, bits), _sizes(lengths))
    return Task(name, bits + 3, bits, 1, partial(_priority_sort, bits), _sizes((20, 30)))


def fixed_set(task: Task, split: Split, size: tuple[int, ...]) -> list[Sequence]:
    """Draw the fixed sequences of one size, the same on every machine.

    Args:
        task: A task with any number of bits.
        split: `dev` for model selection, `test` for the final score.
        size: Length, or length and repeats.

    Returns:
        100 sequences with equal numbers of steps.

    Raises:
        ValueError: If there is no such split.
    """
    if split not in get_args(Split):
        raise ValueError(f"no split {split!r}; choose one of {', '.join(get_args(Split))}")
    number = get_args(Split).index(split)
    # Training seeds have three numbers; four numbers, the last above 0, never collide with them.
    random = np.random.default_rng((_SEED, number, size[0], size[1] if len(size) > 1 else 1))
    return [task.sample(random, *size) for _ in range(SEQUENCES)]


def copy_sequence(bits: np.ndarray) -> Sequence:
    """Return a sequence of copy (section 4.1): start mark, vectors, end mark; then the vectors.

    Args:
        bits: (length, bits), 0 or 1.

    Returns:
        Sequence of 2 length + 2 steps; each mark has its own channel and its own step.

    Example:
        >>> copy_sequence(np.array([[1, 0]])).inputs.tolist()
        [[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    length, width = bits.shape
    inputs = np.zeros((2 * length + 2, width + 2), "float32")
    inputs[0, width] = 1
    inputs[1 : length + 1, :width] = bits
    inputs[length + 1, width + 1] = 1
    return _sequence(inputs, bits)


def repeat_copy_sequence(bits: np.ndarray, repeats: int, max_repeats: int) -> Sequence:
    """Return a sequence of repeat copy (4.2): copy the vectors a given number of times.

    The number of repeats is in the step of the end mark, in its own channel, normalized to mean 0
    and variance 1 over 1, 2, ..., max_repeats. The last target is an end mark.

    Args:
        bits: (length, bits), 0 or 1.
        repeats: Number of repeats; may exceed max_repeats.
        max_repeats: Largest number of repeats in training.

    Returns:
        Sequence of length + 2 + length repeats + 1 steps.

    Deviations:
        The paper gives the number without an end mark, but the normalized number may be 0.

    Example:
        >>> repeat_copy_sequence(np.array([[1, 0]]), 2, 2).targets[-3:].tolist()
        [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    length, width = bits.shape
    mean, variance = (max_repeats + 1) / 2, (max_repeats**2 - 1) / 12
    inputs = np.zeros((length + 2 + length * repeats + 1, width + 3), "float32")
    inputs[0, width] = 1
    inputs[1 : length + 1, :width] = bits
    inputs[length + 1, width + 1] = 1
    inputs[length + 1, width + 2] = (repeats - mean) / np.sqrt(variance) if variance else 0
    answer = np.zeros((length * repeats + 1, width + 1), "float32")
    answer[:-1, :width] = np.tile(bits, (repeats, 1))
    answer[-1, width] = 1
    return _sequence(inputs, answer)


def associative_recall_sequence(items: np.ndarray, query: int) -> Sequence:
    """Return a sequence of associative recall (4.3): items and a query; then the query's successor.

    An item consists of 3 vectors, with 6 bits in the paper. A mark precedes each item; another
    mark precedes and follows the query.

    Args:
        items: (number, 3, bits), 0 or 1; at least two items.
        query: Index of the query among the items; not the last.

    Returns:
        Sequence of 4 number + 5 + 3 steps.

    Example:
        >>> items = np.array([[[1], [1], [0]], [[0], [1], [0]]])
        >>> sequence = associative_recall_sequence(items, 0)
        >>> sequence.inputs[:, 0].astype(int).tolist(), sequence.targets[-3:, 0].tolist()
        ([0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0], [0.0, 1.0, 0.0])
    """
    number, vectors, width = items.shape
    item_steps = np.zeros((number, vectors + 1, width + 2), "float32")
    item_steps[:, 0, width] = 1
    item_steps[:, 1:, :width] = items
    query_steps = np.zeros((vectors + 2, width + 2), "float32")
    query_steps[[0, -1], width + 1] = 1
    query_steps[1:-1, :width] = items[query]
    answer_steps = np.zeros((vectors, width + 2), "float32")
    inputs = np.concatenate([item_steps.reshape(-1, width + 2), query_steps, answer_steps])
    return _sequence(inputs, items[query + 1])


def priority_sort_sequence(bits: np.ndarray, priorities: np.ndarray) -> Sequence:
    """Return a sequence of priority sort (4.5): vectors; then 4/5 of them by descending priority.

    The paper has 20 inputs and 16 targets. The vectors are between marks, as in copy.

    Args:
        bits: (length, bits), 0 or 1.
        priorities: (length,), from -1 to 1; they have their own channel.

    Returns:
        Sequence of length + 2 + n steps, where n is 4/5 length, rounded down, but at least 1.

    Example:
        >>> bits = np.array([[0, 0], [0, 1], [1, 0]])
        >>> priority_sort_sequence(bits, np.array([0.3, -0.2, 0.5])).targets[-2:].tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    length, width = bits.shape
    due = max(1, 4 * length // 5)
    inputs = np.zeros((length + 2 + due, width + 3), "float32")
    inputs[0, width] = 1
    inputs[1 : length + 1, :width] = bits
    inputs[1 : length + 1, width + 2] = priorities
    inputs[length + 1, width + 1] = 1
    return _sequence(inputs, bits[np.argsort(-priorities, kind="stable")[:due]])


def _sequence(inputs: np.ndarray, answer: np.ndarray) -> Sequence:
    """Return a sequence whose answer is due in the last steps."""
    targets = np.zeros((len(inputs), answer.shape[1]), "float32")
    targets[-len(answer) :] = answer
    weights = np.zeros(len(inputs), "float32")
    weights[-len(answer) :] = 1
    return Sequence(inputs, targets, weights)


def _copy(bits: int, random: np.random.Generator, length: int) -> Sequence:
    return copy_sequence(random.integers(0, 2, (length, bits)))


def _repeat_copy(
    bits: int,
    max_repeats: int,
    random: np.random.Generator,
    length: int,
    repeats: int | None = None,
) -> Sequence:
    if repeats is None:
        repeats = int(random.integers(1, max_repeats + 1))
    return repeat_copy_sequence(random.integers(0, 2, (length, bits)), repeats, max_repeats)


def _associative_recall(bits: int, random: np.random.Generator, length: int) -> Sequence:
    items = random.integers(0, 2, (length, ITEM, bits))
    return associative_recall_sequence(items, int(random.integers(length - 1)))


def _priority_sort(bits: int, random: np.random.Generator, length: int) -> Sequence:
    return priority_sort_sequence(
        random.integers(0, 2, (length, bits)), random.uniform(-1, 1, length)
    )


def _sizes(lengths: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple((length,) for length in lengths)
