"""Training data: batches of characters."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow as tf

from apps.common import splits
from apps.common.batching import bucket_batches
from apps.common.data import SplitData
from apps.common.errors import UserError
from apps.common.facts import counted, labels
from apps.common.files import write_json
from datasets.formats.pairs import Pair, read_pair_file
from tests.apps.smallest import Config

LABELS = "labels.json"


class Labels(list[str]):
    """The labels of the training lines, in alphabetical order."""

    def save(self, run: Path) -> None:
        """Write them to a run folder."""
        write_json(run / LABELS, self)


class Data(SplitData):
    """Training and dev lines, pairs of a label and a text; batches are (text, label ids)."""

    monitor: ClassVar[str] = "accuracy"
    mode: ClassVar[str] = "max"

    def facts(self) -> tuple[list[str], list[str]]:
        return tuple(
            [counted(len(lines), "line"), labels((label for label, _ in lines), "label")]
            for lines in (self.train, self.dev)
        )

    def plan(self, epoch: int, order: np.random.Generator | None) -> list:
        return bucket_batches(np.ones(len(self.train)), self.config.batch_size, order, "repeat")

    def gather(self, plan: list, epoch: int, first_step: int) -> tf.data.Dataset:
        labels, texts = zip(*(self.train[i] for rows, _ in plan for i in rows), strict=True)
        ids = [self.vocabulary.index(label) for label in labels]
        lines = tf.data.Dataset.from_tensor_slices((list(texts), ids))
        batches = lines.batch(self.config.batch_size).skip(first_step)
        return batches.map(lambda text, label: (characters(text), label))


def load(config: Config) -> Data:
    """Read the training and dev lines."""
    train, dev = read_split(config, "train"), read_split(config, "dev")
    if config.test_file:  # before training, not after
        read_split(config, "test")
    splits.check_several([label for label, _ in train], str(config.train_file), "label", "add more")
    known = Labels(sorted({label for label, _ in train}))
    found = {label: f"line {number}" for number, (label, _) in enumerate(dev, start=1)}
    splits.check_labels(found, known, str(config.dev_file), "label", "is it the right file?")
    return Data(config, train, dev, known)


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
