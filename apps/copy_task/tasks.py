"""The tasks as a configuration sets them; `datasets.algorithmic.tasks` says what each is."""

import numpy as np

from apps.common.errors import UserError
from apps.copy_task.config import Config
from datasets.algorithmic import tasks
from datasets.algorithmic.tasks import Sequence, Task


def task(config: Config) -> Task:
    """Describe the task of a configuration.

    Raises:
        UserError: its items are too few to ask for one.
    """
    chosen = tasks.task(config.task, config.bits, config.max_repeats)
    if config.max_length < chosen.min_length:
        raise UserError(
            f"max_length: {config.task} needs at least {chosen.min_length}, not {config.max_length}"
        )
    return chosen


def longest(config: Config) -> tuple[int, ...]:
    """Say the size of the longest sequences of training: length, of repeat copy repeats, too."""
    if config.task == "repeat_copy":
        return config.max_length, config.max_repeats
    return (config.max_length,)


def copy_sequence(bits: np.ndarray) -> Sequence:
    """Make the copy task of vectors.

    Args:
        bits: (length, bits), 0 or 1.

    Returns:
        Sequence of 2 length + 2 steps.

    Raises:
        UserError: there is no vector, or a value is neither 0 nor 1.

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
        raise UserError(f"vector {row + 1}: {bits[row, column]} is no bit; bits are 0 or 1")
    return tasks.copy_sequence(bits)


def parse_bits(line: str, width: int) -> np.ndarray:
    """Read a sequence as users write it: vectors of 0 and 1, with spaces between.

    Args:
        line: e.g. `10110010 01110001`.
        width: bits of a vector, as the model has them.

    Returns:
        Bits (length, width), float32.

    Raises:
        UserError: there is no vector, or one has another width or something else than bits.

    Example:
        >>> parse_bits("10 11 00", 2).tolist()
        [[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    """
    vectors = line.split()
    if not vectors:
        raise UserError(f"no vector; write vectors of {width} bits, with spaces between")
    for number, vector in enumerate(vectors, start=1):
        if odd := [character for character in vector if character not in "01"]:
            raise UserError(f"vector {number}: {odd[0]!r} is no bit; bits are 0 or 1")
        if len(vector) != width:
            raise UserError(f"vector {number}: {len(vector)} bits, the model has {width}")
    return np.array([list(vector) for vector in vectors], "float32")
