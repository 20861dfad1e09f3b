"""Training data that is read from a train and a dev split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from apps.common import splits
from apps.common.app import History
from apps.common.config import UserDataConfig


@dataclass(frozen=True)
class SplitData:
    """Training and dev examples, and what export needs of them, the vocabulary.

    A subclass defines `monitor`, `mode`, `facts`, `plan` and `gather`.
    """

    config: UserDataConfig
    train: list
    dev: list
    vocabulary: Any  # has `save(run)`

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev examples."""
        return splits.checksum(self.train + self.dev)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training batches."""
        return len(self.plan(1, None))

    def batches(self, epoch: int, first_step: int = 0, history: History = ()) -> tf.data.Dataset:
        """Return the training batches of an epoch, which depend only on seed and epoch."""
        order = np.random.default_rng((self.config.seed, epoch))
        return self.gather(self.plan(epoch, order), epoch, first_step)

    def describe(self) -> str:
        """Return a line of facts for each split."""
        names = self.config.train_file or "train", self.config.dev_file or "dev"
        pairs = zip(names, self.facts(), strict=True)
        return "\n".join(f"{name}: {'; '.join(facts)}" for name, facts in pairs)

    def facts(self) -> tuple[list[str], list[str]]:
        """Return facts of the training and of the dev examples, such as their numbers."""
        raise NotImplementedError

    def plan(self, epoch: int, order: np.random.Generator | None) -> list:
        """Return the examples of each batch; `order` shuffles them."""
        raise NotImplementedError

    def gather(self, plan: list, epoch: int, first_step: int) -> tf.data.Dataset:
        """Return the batches of an epoch's plan, from a step on."""
        raise NotImplementedError

    def baseline(self) -> tuple[str, float] | None:
        """Return a simple way to guess, and its score `monitor` on dev; None: there is none."""

    def save(self, run: Path) -> None:
        """Write the vocabulary to a run folder."""
        self.vocabulary.save(run)
