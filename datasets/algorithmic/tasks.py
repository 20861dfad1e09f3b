"""The algorithmic tasks of Graves et al. 2014, Neural Turing Machines: sequences made of chance.

A task shows vectors of random bits, and then, while its inputs are zeros, wants an answer: the
same vectors, repeated, the one behind another, or sorted. Channels behind the bits mark where the
parts of a sequence begin and end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, get_args

import numpy as np

Name = Literal["copy", "repeat_copy", "associative_recall", "priority_sort"]
Split = Literal["dev", "test"]

ITEM = 3  # vectors of an item of associative recall
ITEM_BITS = 6  # of each of them, in the paper
SEQUENCES = 100  # of each size in a fixed set
_SEED = 14105401  # of the fixed sets


class Sequence(NamedTuple):
    """What is shown, and what is wanted; float32."""

    inputs: np.ndarray  # (time, input_size)
    targets: np.ndarray  # (time, output_size), 0 or 1
    weights: np.ndarray  # (time,), 1 where a target is due, else 0


@dataclass(frozen=True)
class Task:
    """A task: what its sequences look like, and how to draw one."""

    name: Name
    input_size: int
    output_size: int
    min_length: int
    sample: Callable[..., Sequence]
    """(random, length): draw a sequence of so many vectors, or items; of repeat copy (random,
    length, repeats), too. How many steps it has, these numbers alone say."""
    sizes: tuple[tuple[int, ...], ...]
    """Of the fixed sets: what follows `random` in `sample`."""


def task(name: Name, bits: int = 8, max_repeats: int = 10) -> Task:
    """Describe a task.

    Args:
        name: of the task; the functions named `<name>_sequence` say what each is.
        bits: of a vector; the paper has 8, and 6 in associative recall.
        max_repeats: of repeat copy in training.

    Raises:
        ValueError: no such task, or no bits or repeats.

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
        return Task(name, bits + 2, bits, 1, partial(_copy, bits), _of(lengths))
    if name == "repeat_copy":
        sizes = ((10, 10), (20, 10), (10, 20))  # length, repeats
        sample = partial(_repeat_copy, bits, max_repeats)
        return Task(name, bits + 3, bits + 1, 1, sample, sizes)
    if name == "associative_recall":
        lengths = (6, 8, 10, 12, 15, 20)
        return Task(name, bits + 2, bits, 2, partial(_associative_recall, bits), _of(lengths))
    return Task(name, bits + 3, bits, 1, partial(_priority_sort, bits), _of((20, 30)))


def fixed_set(task: Task, split: Split, size: tuple[int, ...]) -> list[Sequence]:
    """Draw the sequences of one size that are the same for everybody.

    Args:
        task: of any number of bits.
        split: `dev` to choose by, `test` for the final score.
        size: length, or length and repeats.

    Returns:
        100 sequences of as many steps.

    Raises:
        ValueError: there is no such split.
    """
    if split not in get_args(Split):
        raise ValueError(f"no split {split!r}; choose one of {', '.join(get_args(Split))}")
    number = get_args(Split).index(split)
    # Four numbers, the last above 0, are no seed of a training, which has three.
    random = np.random.default_rng((_SEED, number, size[0], size[1] if len(size) > 1 else 1))
    return [task.sample(random, *size) for _ in range(SEQUENCES)]


def copy_sequence(bits: np.ndarray) -> Sequence:
    """Copy (section 4.1): a mark of the beginning, the vectors, a mark of their end; the vectors.

    Args:
        bits: (length, bits), 0 or 1.

    Returns:
        Sequence of 2 length + 2 steps; the marks are channels of their own, of their own steps.

    Example:
        >>> copy_sequence(np.array([[1, 0]])).inputs.tolist()
        [[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    length, width = bits.shape
    inputs = np.zeros((2 * length + 2, width + 2), "float32")
    inputs[0, width] = 1
    inputs[1 : length + 1, :width] = bits
    inputs[length + 1, width + 1] = 1
    return _answered(inputs, bits)


def repeat_copy_sequence(bits: np.ndarray, repeats: int, max_repeats: int) -> Sequence:
    """Repeat copy (4.2): as copy, but a number says how often; at the end of all a mark is wanted.

    The number stands beside the mark of the end, in a channel of its own, with mean 0 and variance
    1 over 1, 2, ..., max_repeats. Deviation: the paper has the number alone, which may be 0.

    Args:
        bits: (length, bits), 0 or 1.
        repeats: how often they are to be repeated, also more than max_repeats.
        max_repeats: of training.

    Returns:
        Sequence of length + 2 + length repeats + 1 steps. The mark is the last output.

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
    return _answered(inputs, answer)


def associative_recall_sequence(items: np.ndarray, query: int) -> Sequence:
    """Associative recall (4.3): items, then one of them again; wanted is the one that followed it.

    An item is 3 vectors, in the paper of 6 bits; a mark stands before each, and another mark
    before and behind the query.

    Args:
        items: (number, 3, bits), 0 or 1; at least two.
        query: index of the item that is asked for, not of the last.

    Returns:
        Sequence of 4 number + 5 + 3 steps.

    Example:
        >>> items = np.array([[[1], [1], [0]], [[0], [1], [0]]])
        >>> sequence = associative_recall_sequence(items, 0)
        >>> sequence.inputs[:, 0].astype(int).tolist(), sequence.targets[-3:, 0].tolist()
        ([0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0], [0.0, 1.0, 0.0])
    """
    number, vectors, width = items.shape
    shown = np.zeros((number, vectors + 1, width + 2), "float32")
    shown[:, 0, width] = 1
    shown[:, 1:, :width] = items
    asked = np.zeros((vectors + 2, width + 2), "float32")
    asked[[0, -1], width + 1] = 1
    asked[1:-1, :width] = items[query]
    silence = np.zeros((vectors, width + 2), "float32")
    inputs = np.concatenate([shown.reshape(-1, width + 2), asked, silence])
    return _answered(inputs, items[query + 1])


def priority_sort_sequence(bits: np.ndarray, priorities: np.ndarray) -> Sequence:
    """Priority sort (4.5): vectors with priorities; wanted are the 4/5 highest, the highest first.

    The paper shows 20 and wants 16. The vectors stand between marks, as in copy.

    Args:
        bits: (length, bits), 0 or 1.
        priorities: (length,), from -1 to 1, in a channel of their own.

    Returns:
        Sequence of length + 2 + 4/5 length steps, rounded down, but at least one is wanted.

    Example:
        >>> bits = np.array([[0, 0], [0, 1], [1, 0]])
        >>> priority_sort_sequence(bits, np.array([0.3, -0.2, 0.5])).targets[-2:].tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    length, width = bits.shape
    wanted = max(1, 4 * length // 5)
    inputs = np.zeros((length + 2 + wanted, width + 3), "float32")
    inputs[0, width] = 1
    inputs[1 : length + 1, :width] = bits
    inputs[1 : length + 1, width + 2] = priorities
    inputs[length + 1, width + 1] = 1
    return _answered(inputs, bits[np.argsort(-priorities, kind="stable")[:wanted]])


def _answered(inputs: np.ndarray, answer: np.ndarray) -> Sequence:
    """The answer is due in the last steps."""
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


def _of(lengths: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple((length,) for length in lengths)
