"""Base configurations of apps: each field becomes an option of `train`.

A subclass changes a default by declaring the field again; the help text is inherited.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.common.errors import UserError
from apps.common.ranges import at_least, between, positive
from datasets.card import load_card


@dataclass(frozen=True)
class TrainConfig:
    """Options of every training run."""

    batch_size: int = 32
    """Examples per batch."""
    epochs: int = 10
    """Maximum number of passes over the training data."""
    patience: int | None = None
    """Stop after this many epochs without a better score on dev; None: never."""
    learning_rate: float = 1e-3
    """Initial step size of the optimizer."""
    clip_norm: float = 1.0
    """Maximum global norm of the gradients."""
    mixed_precision: bool = False
    """Compute in half precision: float16 on a GPU, bfloat16 elsewhere."""
    jit: bool = False
    """Compile the training step with XLA."""
    seed: int = 1
    """Random seed of the initial weights, the order of the examples and dropout."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Held-out splits."""
        return "dev", "test"

    def __post_init__(self) -> None:
        at_least(1, self, "batch_size", "epochs", "patience")
        positive(self, "learning_rate", "clip_norm")
        between(0, 2**32 - 1, self, "seed")


@dataclass(frozen=True)
class UserDataConfig(TrainConfig):
    """Options for training on a data set, or on the user's own files."""

    train_file: Path | None = None
    """Your own training data; None: the data set."""
    dev_file: Path | None = None
    """Dev data in the format of train_file, required with it: determines the best epoch."""
    test_file: Path | None = None
    """Test data in the format of train_file, for the final score."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.train_file is None) != (self.dev_file is None):
            raise UserError("train_file and dev_file belong together: give both or neither")
        if self.test_file and not self.train_file:
            raise UserError("test_file requires train_file; to score a trained model, run evaluate")

    @property
    def splits(self) -> tuple[str, ...]:
        """Held-out splits: your own files may lack a test file."""
        return ("dev", "test") if self.test_file or not self.train_file else ("dev",)

    def export_facts(self, dataset: str) -> dict[str, Any]:
        """Return the fields of an `Export` that describe its data."""
        if self.train_file:
            data, licence = str(self.train_file), "that of the training data"
        else:
            card = load_card(dataset)
            data, licence = card.data, card.model_licence
        return {"data": data, "licence": licence, "splits": self.splits}


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`; an app may add more."""

    needs_text = True  # read stdin if neither a text nor a file is given
    prints_answers = True  # even without --json
