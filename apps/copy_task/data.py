"""Training sequences, generated on the fly, and the fixed ones that determine the best epoch."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from apps.common.app import History
from apps.common.errors import UserError
from apps.common.facts import counted
from apps.copy_task import curriculum
from apps.copy_task.config import Config
from apps.copy_task.tasks import Sequence, Task, longest, task
from datasets.algorithmic.tasks import fixed_set

PER_LENGTH = 10  # fixed sequences that measure the prediction gain of a length
LARGEST = 4  # GB of an epoch, which is generated at once
_GAIN_SEED = 17040300  # seed of these sequences


class Batch(NamedTuple):
    """Sequences padded at the end with zeros; float32."""

    inputs: np.ndarray  # (batch, time, input_size)
    targets: np.ndarray  # (batch, time, output_size)
    weights: np.ndarray  # (batch, time)


@dataclass(frozen=True)
class Data:
    """Training data."""

    config: Config
    task: Task

    monitor: ClassVar[str] = "loss"
    mode: ClassVar[Literal["min"]] = "min"

    @property
    def input_size(self) -> int:
        """Channels of the inputs."""
        return self.task.input_size

    @property
    def output_size(self) -> int:
        """Bits of an output."""
        return self.task.output_size

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of an epoch."""
        return self.config.steps_per_epoch

    @property
    def checksum(self) -> str:
        """SHA-256 of a training batch and of the dev sequences."""
        return checksum([self.batch(1, 0, self._probabilities(1, ())), self.dev])

    @cached_property
    def time(self) -> int:
        """Steps of the longest training sequence."""
        return len(self.task.sample(np.random.default_rng(0), *longest(self.config)).inputs)

    @cached_property
    def dev(self) -> Batch:
        """Dev sequences of the longest training length."""
        return pad(fixed_set(self.task, "dev", longest(self.config)), self.time)

    @cached_property
    def fixed_batches(self) -> dict[int, Batch]:
        """Fixed sequences of each training length, padded to the longest."""
        # Epoch 0 is not used in training.
        random = np.random.default_rng((_GAIN_SEED, 0))
        return {
            length: pad([self.task.sample(random, length) for _ in range(PER_LENGTH)], self.time)
            for length in curriculum.lengths(self.config).tolist()
        }

    def batches(self, epoch: int, first_step: int = 0, history: History = ()) -> tf.data.Dataset:
        """Return the training batches of an epoch.

        They depend only on the seed, the epoch and the part of the history that the curriculum
        uses.

        Returns:
            Batches (inputs, targets, weights), all of the same shape: see `Batch`.
        """
        probabilities = self._probabilities(epoch, history)
        steps = range(first_step, self.steps_per_epoch)
        # All at once, a few MB: a Python generator in tf.data would cost more than the batches.
        rows = zip(*(self.batch(epoch, step, probabilities) for step in steps), strict=True)
        return tf.data.Dataset.from_tensor_slices(tuple(map(np.stack, rows))).prefetch(2)

    def batch(self, epoch: int, step: int, probabilities: np.ndarray) -> Batch:
        """Make a training batch; the length of each sequence is drawn separately.

        Args:
            epoch: Number of the epoch, from 1.
            step: Number of the step in the epoch, from 0.
            probabilities: Probability of each length of the curriculum.
        """
        random = np.random.default_rng((self.config.seed, epoch, step))
        lengths = random.choice(
            curriculum.lengths(self.config), size=self.config.batch_size, p=probabilities
        )
        return pad([self.task.sample(random, length) for length in lengths.tolist()], self.time)

    def describe(self) -> str:
        """Return the kind of the sequences and their sizes."""
        config, lengths = self.config, curriculum.lengths(self.config)
        return (
            f"train, dev: random sequences of {config.task}, of length {lengths[0]} to "
            f"{lengths[-1]}, with vectors of {counted(config.bits, 'bit')}"
        )

    def save(self, run: Path) -> None:
        """Write nothing: `export` needs only the configuration."""

    def _probabilities(self, epoch: int, history: History) -> np.ndarray:
        return curriculum.probabilities(self.config, epoch, history)


def load(config: Config) -> Data:
    """Set up the generation of training sequences.

    Raises:
        UserError: If `max_length` is too small for the task, or an epoch is too large.
    """
    data = Data(config, task(config))
    numbers = data.time * (data.input_size + data.output_size + 1)
    size = 4e-9 * config.steps_per_epoch * config.batch_size * numbers
    if size > LARGEST:
        raise UserError(
            f"an epoch of {config.steps_per_epoch:,} steps with {config.batch_size:,} sequences of "
            f"{data.time:,} vectors takes {size:,.0f} GB, more than {LARGEST}; lower "
            "steps_per_epoch, batch_size or max_length"
        )
    return data


def pad(sequences: list[Sequence], time: int) -> Batch:
    """Stack sequences of different lengths.

    Args:
        sequences: Sequences of a task.
        time: Steps of the batch, at least those of the longest sequence.

    Example:
        >>> sample = task(Config()).sample
        >>> drawn = [sample(np.random.default_rng(0), length) for length in (1, 3)]
        >>> pad(drawn, 9).weights.sum(axis=1)
        array([1., 3.], dtype=float32)
    """

    def stack(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
        rows = np.zeros((len(arrays), time, *arrays[0].shape[1:]), "float32")
        for row, array in zip(rows, arrays, strict=True):
            row[: len(array)] = array
        return rows

    return Batch(*map(stack, zip(*sequences, strict=True)))


def checksum(parts: Iterable[Batch | Sequence]) -> str:
    """Compute the SHA-256 of batches or sequences."""
    digest = hashlib.sha256()
    for array in (array for part in parts for array in part):
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
