"""The task of a configuration; `datasets.algorithmic.tasks` defines the tasks."""

import numpy as np

from apps.common.errors import UserError
from apps.copy_task.config import Config
from datasets.algorithmic import tasks
from datasets.algorithmic.tasks import Sequence, Task


def task(config: Config) -> Task:
    """Return the task of a configuration.

    Raises:
        UserError: If `max_length` is too small for the task.
    """
    chosen = tasks.task(config.task, config.bits, config.max_repeats)
    if config.max_length < chosen.min_length:
        raise UserError(
            f"max_length: {config.task} needs at least {chosen.min_length}, not {config.max_length}"
        )
    return chosen


def longest(config: Config) -> tuple[int, ...]:
    """Return the size of the longest training sequences: length, for repeat copy also repeats."""
    if config.task == "repeat_copy":
        return config.max_length, config.max_repeats
    return (config.max_length,)


def copy_sequence(bits: np.ndarray) -> Sequence:
    """Make a sequence of the copy task from vectors.

    Args:
        bits: Vectors of 0 and 1, (length, bits).

    Returns:
        A sequence of 2 length + 2 steps.

    Raises:
        UserError: If there are no vectors, or a value is neither 0 nor 1.

    Example:
        >>> copy_sequence(np.array([[1, 0], [1, 1]])).weights.tolist()
        [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    """
    bits = np.asarray(bits)
    if bits.ndim != 2 or not bits.size:
        raise UserError(f"bits: shape {bits.shape}; give at least one vector, as (length, bits)")
    wrong = np.argwhere((bits != 0) & (bits != 1))
    if len(wrong):
        row, column = wrong[0]
        raise UserError(f"vector {row + 1}: {bits[row, column]} is not a bit; bits are 0 or 1")
    return tasks.copy_sequence(bits)


def parse_bits(line: str, width: int) -> np.ndarray:
    """Parse a sequence as users write it: vectors of 0 and 1, separated by spaces.

    Args:
        line: Text such as `10110010 01110001`.
        width: Bits of a vector of the model.

    Returns:
        Bits (length, width), float32.

    Raises:
        UserError: If there are no vectors, or one has the wrong width or characters other than 0
            and 1.

    Example:
        >>> parse_bits("10 11 00", 2).tolist()
        [[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    """
    vectors = line.split()
    if not vectors:
        raise UserError(f"no vectors; write vectors of {width} bits, separated by spaces")
    for number, vector in enumerate(vectors, start=1):
        if odd := [character for character in vector if character not in "01"]:
            raise UserError(f"vector {number}: {odd[0]!r} is not a bit; bits are 0 or 1")
        if len(vector) != width:
            raise UserError(f"vector {number}: {len(vector)} bits, but the model has {width}")
    return np.array([list(vector) for vector in vectors], "float32")
