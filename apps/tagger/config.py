"""What can be set about a tagger."""

from dataclasses import dataclass
from pathlib import Path

from apps.common.errors import UserError


@dataclass(frozen=True)
class Config:
    """Configuration of a tagger; the defaults are the preset `quick`."""

    train_file: Path | None = None
    """CoNLL columns, word first and tag last; without: restore the King James Bible's writing."""
    dev_file: Path | None = None
    """Like train_file, and required with it: chooses the best epoch."""
    test_file: Path | None = None
    """Like train_file: for the final score."""
    min_count: int = 2
    """Words seen less often in training are unknown words."""
    word_dropout: float = 0.02
    """Share of the training words that is hidden: teaches the unknown word."""
    embedding_size: int = 128
    """Size of the word vectors."""
    units: int = 128
    """Size of the LSTM state, for each direction."""
    layers: int = 1
    """Bidirectional LSTM layers, one on the other."""
    dropout: float = 0.25
    """Dropout of the inputs of each LSTM: one mask a sentence (variational)."""
    recurrent_dropout: float = 0.0
    """Dropout of the LSTM state: one mask a sentence (variational)."""
    batch_size: int = 128
    """Sentences in a batch."""
    epochs: int = 4
    """Passes over the training sentences, at most."""
    patience: int | None = 2
    """Stop after so many epochs without a better macro F1 on dev; None: never."""
    learning_rate: float = 6e-3
    """Step size of AdamW."""
    weight_decay: float = 1e-3
    """Weight decay of AdamW."""
    clip_norm: float = 1.0
    """Largest norm of the gradient of all weights together."""
    ema: float | None = 0.99
    """Momentum of the averaged weights, which are scored and exported; None: no average, which is
    better below some hundred steps in all."""
    mixed_precision: bool = False
    """Compute in 16 bits: float16 on a GPU, bfloat16 elsewhere."""
    jit: bool = False
    """Compile the training step with XLA."""
    seed: int = 1
    """Seed of the initial weights, the order of the sentences and dropout."""

    def __post_init__(self) -> None:
        if (self.train_file is None) != (self.dev_file is None):
            raise UserError("train_file and dev_file belong together: give both or neither")
        if self.test_file and not self.train_file:
            raise UserError("test_file needs train_file; to score a trained model: evaluate")
        for name in ("min_count", "embedding_size", "units", "layers", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("word_dropout", "dropout", "recurrent_dropout", "ema"):
            if not 0 <= (getattr(self, name) or 0) < 1:
                raise UserError(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}")

    @property
    def restores(self) -> bool:
        """Whether the tags are capitals and punctuation, which an export writes out."""
        return self.train_file is None


PRESETS = {"quick": Config()}
