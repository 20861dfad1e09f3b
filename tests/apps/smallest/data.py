"""Training data: batches of characters."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow as tf

from apps.common import splits
from apps.common.app import History
from apps.common.errors import UserError
from apps.common.files import write_json
from datasets.formats.pairs import Pair, read_pair_file
from tests.apps.smallest import Config

LABELS = "labels.json"


@dataclass(frozen=True)
class Data:
    """Training and dev lines: pairs of a label and a text."""

    config: Config
    train: list[Pair]
    dev: list[Pair]
    labels: list[str]

    monitor: ClassVar[str] = "accuracy"
    mode: ClassVar[str] = "max"

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev lines."""
        return splits.checksum(self.train + self.dev)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training batches."""
        return -(-len(self.train) // self.config.batch_size)

    def batches(self, epoch: int, first_step: int = 0, history: History = ()) -> tf.data.Dataset:
        """Return the training batches of an epoch: (text, label ids)."""
        order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.train))
        labels, texts = zip(*(self.train[i] for i in order), strict=True)
        ids = [self.labels.index(label) for label in labels]
        lines = tf.data.Dataset.from_tensor_slices((list(texts), ids))
        batches = lines.batch(self.config.batch_size).skip(first_step)
        return batches.map(lambda text, label: (characters(text), label))

    def save(self, run: Path) -> None:
        """Write the labels to a run folder."""
        write_json(run / LABELS, self.labels)


def load(config: Config) -> Data:
    """Read the training and dev lines."""
    train, dev = read_split(config, "train"), read_split(config, "dev")
    labels = sorted({label for label, _ in train})
    found = {label: f"line {number}" for number, (label, _) in enumerate(dev, start=1)}
    splits.check_labels(found, labels, str(config.dev_file), "label", "is it the right file?")
    return Data(config, train, dev, labels)


def read_split(config: Config, split: str) -> list[Pair]:
    """Read the lines of a split."""
    return splits.read_split(config, split, read_pair_file, read_dataset)


def read_dataset(split: str) -> list[Pair]:
    """Raise: there is no data set."""
    raise UserError("give your own files: --train_file FILE --dev_file FILE")


def characters(text: tf.Tensor) -> tf.Tensor:
    """Return the UTF-8 bytes of texts (batch,) plus 1, padded with 0: (batch, length)."""
    codes = tf.strings.unicode_decode(tf.strings.join([text, "\n"]), "UTF-8", errors="replace")
    return (codes % 1000 + 1).to_tensor()
