"""What can be set about a translator."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.errors import UserError
from apps.common.own_files import check_own_files
from apps.common.ranges import a_share, above_zero, at_least


@dataclass(frozen=True)
class Config:
    """Configuration of a translator; the defaults are those of every language pair."""

    dataset: Literal["dates", "king_james", "multi30k", "tatoeba"] = "dates"
    """What to learn, if there is no train_file: dates as people write them to ISO 8601, the King
    James Bible to modern English, captions of pictures (Multi30k), or sentences of Tatoeba."""
    source: str | None = None
    """Side of the dataset to translate from: en, de or fr of multi30k, en or de of tatoeba,
    king_james or modern of king_james, written of dates; None: the first of these that is not the
    target."""
    target: str | None = None
    """Side to translate to; None: the first that is not the source."""
    train_file: Path | None = None
    """Tab-separated: source, tab, target on each line; or two files that go line by line, with a
    comma between them: train.en,train.de."""
    dev_file: Path | None = None
    """Like train_file, and required with it: chooses the best epoch."""
    test_file: Path | None = None
    """Like train_file: for the final score."""
    lowercase: bool = False
    """Write all in lower case, in training and when it is used."""
    vocabulary_size: int = 6000
    """Pieces that SentencePiece divides words into, learned from the training sentences."""
    subwords: Literal["unigram", "bpe"] = "bpe"
    """How SentencePiece learns them."""
    joint: bool = True
    """One vocabulary for both languages, and one matrix for the vectors of source and target pieces
    and for the output (three-way tying); else a vocabulary each."""
    subword_regularization: float = 0.0
    """Divide words in another way at each epoch: alpha of the sampling (Kudo 2018; 0.1 to 0.5), for
    unigram pieces; 0: always the best way."""
    max_length: int = 80
    """Pieces of the longest sentence of training, and of the longest translation."""
    max_ratio: float = 4.0
    """Pairs of training are left out if one side has so many times the pieces of the other."""
    attention: Literal["none", "bahdanau", "luong", "location", "coverage"] = "bahdanau"
    """How the decoder looks at the source: by one fixed vector alone, or by attention: additive
    before each step (Bahdanau), multiplicative after it with input feeding (Luong), or additive
    that also sees the weights before (location-aware), or their sum (coverage)."""
    copy: bool = False
    """Take pieces of the source over, too, where a second attention points at them
    (pointer-generator); for languages that share words, with joint pieces."""
    cell: Literal["gru", "lstm"] = "gru"
    """The recurrence of encoder and decoder."""
    units: int = 320
    """Size of the decoder, and of each direction of the encoder."""
    layers: int = 1
    """Layers of the encoder, and as many of the decoder."""
    embedding_size: int = 320
    """Size of the vectors of pieces."""
    embedding_dropout: float = 0.3
    """Dropout of the vectors of pieces."""
    dropout: float = 0.3
    """Dropout of encoder and decoder: one mask a sentence (variational)."""
    output_dropout: float = 0.5
    """Dropout of what the next piece is told from."""
    label_smoothing: float = 0.1
    """Share of the target's probability that is spread over all pieces."""
    batch_size: int = 64
    """Pairs in a batch."""
    epochs: int = 25
    """Passes over the training pairs, at most."""
    patience: int | None = 6
    """Stop after so many epochs without a better score on dev; None: never."""
    learning_rate: float = 1e-3
    """Largest step size of Adam; it rises over the first epoch and falls along a cosine."""
    clip_norm: float = 1.0
    """Largest norm of the gradient of all weights together."""
    average: int = 5
    """Scored and exported is the mean of the weights after so many of the last epochs, though of no
    more than half of all."""
    num_beams: int = 5
    """Translations that are kept in sight; 1: greedy."""
    mixed_precision: bool = False
    """Compute in 16 bits: float16 on a GPU, bfloat16 elsewhere."""
    jit: bool = False
    """Compile the training step with XLA."""
    seed: int = 1
    """Seed of the initial weights, the order of the pairs, their pieces and dropout."""

    def __post_init__(self) -> None:
        check_own_files(self)
        if self.copy and not (self.joint and self.attention != "none"):
            raise UserError(
                "copy needs joint pieces, which source and target share, and an attention"
            )
        if self.subword_regularization and self.subwords != "unigram":
            raise UserError("subword_regularization needs subwords unigram, not bpe")
        at_least(
            1,
            self,
            "vocabulary_size",
            "max_length",
            "units",
            "layers",
            "embedding_size",
            "batch_size",
            "epochs",
            "average",
            "num_beams",
        )
        a_share(
            self,
            "subword_regularization",
            "embedding_dropout",
            "dropout",
            "output_dropout",
            "label_smoothing",
        )
        above_zero(self, "learning_rate", "clip_norm", "max_ratio")


@dataclass(frozen=True)
class PredictOptions:
    """How the answers look."""

    n_best: int = 1
    """Show so many translations of each line, with the score of each."""
    sample: int | None = None
    """Draw so many translations of each line by chance, with the log-likelihood of each."""
    temperature: float = 1.0
    """Of the drawn ones: the lower, the nearer to the most probable; 1: as the model says."""
    seed: int = 1
    """Of the drawn ones."""
    attention: Path | None = None
    """Draw where the decoder looked for the last line: a new .png, .svg or .pdf file."""

    needs_text = True

    def __post_init__(self) -> None:
        if not 1 <= self.n_best <= 100:
            raise UserError(f"n_best must be 1 to 100, not {self.n_best}")
        if self.sample is not None and not 1 <= self.sample <= 1000:
            raise UserError(f"sample must be 1 to 1000, not {self.sample}")
        if self.sample and self.n_best > 1:
            raise UserError("give either n_best or sample: the best translations, or chance ones")
        above_zero(self, "temperature")
        if not 0 <= self.seed < 2**31:
            raise UserError(f"seed must be 0 to {2**31 - 1}, not {self.seed}")


_TRANSLATION = Config(dataset="multi30k")
_CAPTIONS = replace(
    _TRANSLATION,
    lowercase=True,
    subwords="unigram",
    subword_regularization=0.5,
    dropout=0.2,
    output_dropout=0.4,
    epochs=12,
    patience=None,
    num_beams=10,
)

PRESETS = {
    "quick": Config(
        vocabulary_size=400,
        max_ratio=20,
        units=128,
        embedding_size=64,
        embedding_dropout=0.1,
        dropout=0.1,
        output_dropout=0.1,
        label_smoothing=0.0,
        batch_size=128,
        epochs=4,
        learning_rate=4e-3,
        average=1,
    ),
    "king_james": replace(
        _TRANSLATION,
        dataset="king_james",
        embedding_dropout=0.2,
        dropout=0.2,
        output_dropout=0.3,
        epochs=6,
        patience=None,
    ),
    "multi30k": _CAPTIONS,
    "multi30k_fixed_context": replace(_CAPTIONS, attention="none"),
    "tatoeba": replace(
        _TRANSLATION,
        dataset="tatoeba",
        embedding_dropout=0.2,
        dropout=0.2,
        output_dropout=0.3,
        batch_size=32,
        epochs=4,
        patience=None,
    ),
}


def examples(config: Config) -> tuple[str, ...]:
    """Sentences to try a translator with; from a language of one's own, the nearest guess."""
    return {
        "dates": ("Friday, March 7th, 2014", "le 1er mai 1999"),
        "king_james": ("And he said unto her, Whither goest thou?", "Thou shalt not kill."),
        "multi30k": ("A man is riding a horse on the beach.", "Two dogs play in the snow."),
        "tatoeba": ("Where is the nearest bank?", "I don't know what to say."),
    }["tatoeba" if config.train_file else config.dataset]
