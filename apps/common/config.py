"""Base configurations of apps: each field becomes an option of `train`.

A subclass changes a default by declaring the field again; the help text is inherited.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.common.errors import UserError
from apps.common.ranges import at_least, positive
from datasets.card import load_card


@dataclass(frozen=True)
class TrainConfig:
    """Options of every training."""

    batch_size: int = 32
    """Examples per batch."""
    epochs: int = 10
    """Maximum number of passes over the training data."""
    patience: int | None = None
    """Stop after this many epochs without a better score on dev; None: never."""
    learning_rate: float = 1e-3
    """Initial step size of the optimizer."""
    clip_norm: float = 1.0
    """Maximum norm of the gradient of all weights together."""
    mixed_precision: bool = False
    """Compute in 16 bits: float16 on a GPU, bfloat16 elsewhere."""
    jit: bool = False
    """Compile the training step with XLA."""
    seed: int = 1
    """Random seed of the initial weights, the order of the examples and dropout."""

    def __post_init__(self) -> None:
        at_least(1, self, "batch_size", "epochs", "patience")
        positive(self, "learning_rate", "clip_norm")


@dataclass(frozen=True)
class UserDataConfig(TrainConfig):
    """Options of a training on a data set, or on the user's own files."""

    train_file: Path | None = None
    """Your own training data; None: the data set."""
    dev_file: Path | None = None
    """In the format of train_file, and required with it: chooses the best epoch."""
    test_file: Path | None = None
    """In the format of train_file: for the final score."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.train_file is None) != (self.dev_file is None):
            raise UserError("train_file and dev_file belong together: give both or neither")
        if self.test_file and not self.train_file:
            raise UserError("test_file needs train_file; to score a trained model: evaluate")

    def export_facts(self, dataset: str) -> dict[str, Any]:
        """Return what an `Export` states about its data: a data set, or the user's files."""
        if self.train_file:
            data, licence = str(self.train_file), "that of the training data"
        else:
            card = load_card(dataset)
            data, licence = card.data, card.model_licence
        splits = ("dev", "test") if self.test_file or not self.train_file else ("dev",)
        return {"data": data, "licence": licence, "splits": splits}


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`, of an app that has none of its own."""

    needs_text = True  # read stdin if neither a text nor a file is given
