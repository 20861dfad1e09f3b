"""Configuration of a translator."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.config import PredictOptions as BasePredictOptions
from apps.common.config import UserDataConfig
from apps.common.errors import UserError
from apps.common.ranges import at_least, between, fraction, positive


@dataclass(frozen=True)
class Config(UserDataConfig):
    """Configuration of a translator; the defaults suit any language pair."""

    dataset: Literal["dates", "king_james", "multi30k", "tatoeba"] = "dates"
    """Data set to learn from, unless there is a train_file: dates as people write them to ISO 8601,
    the King James Bible to modern English, image descriptions (Multi30k), or sentences of
    Tatoeba."""
    source: str | None = None
    """Side of the data set to translate from: en, de or fr for multi30k, en or de for tatoeba,
    king_james or modern for king_james, written for dates; None: the first of these that is not the
    target."""
    target: str | None = None
    """Side to translate to; None: the first that is not the source."""
    train_file: Path | None = None
    """Your own pairs, tab-separated: source, tab, target on each line; or two files with one
    sentence per line, separated by a comma: train.en,train.de."""
    lowercase: bool = False
    """Convert all text to lower case, in training and in use."""
    vocabulary_size: int = 6000
    """Size of the subword vocabulary, which SentencePiece learns from the training sentences."""
    subwords: Literal["unigram", "bpe"] = "bpe"
    """Algorithm by which SentencePiece learns the pieces."""
    joint: bool = True
    """One vocabulary for both languages, and one matrix for the embeddings of source and target and
    for the output (three-way tying); otherwise, each has its own vocabulary."""
    subword_regularization: float = 0.0
    """Split words differently in each epoch: alpha of the sampling (Kudo 2018; 0.1 to 0.5), for
    unigram pieces; 0: always the most probable segmentation."""
    max_length: int = 80
    """Maximum number of pieces of a training sentence, and of a translation."""
    max_ratio: float = 4.0
    """Drop training pairs in which one side has more than this many times the pieces of the other;
    beam search finds no translations that long."""
    attention: Literal["none", "bahdanau", "luong", "location", "coverage"] = "bahdanau"
    """Attention of the decoder: none (a single fixed vector), additive before each step (bahdanau),
    multiplicative after it with input feeding (luong), or additive with the previous weights as
    features (location) or with the sum of all previous weights (coverage)."""
    copy: bool = False
    """Also copy pieces of the source, selected by a second attention (pointer-generator); for
    languages that share words, with joint pieces."""
    cell: Literal["gru", "lstm"] = "gru"
    """Recurrent cell of encoder and decoder."""
    units: int = 320
    """Size of the decoder, and of each direction of the encoder."""
    layers: int = 1
    """Number of layers of the encoder, and of the decoder."""
    embedding_size: int = 320
    """Size of the embeddings."""
    embedding_dropout: float = 0.3
    """Dropout of the embeddings."""
    dropout: float = 0.3
    """Dropout of encoder and decoder, with one mask per sequence (variational)."""
    output_dropout: float = 0.5
    """Dropout before the output layer."""
    label_smoothing: float = 0.1
    """Share of the target's probability that is spread evenly over all pieces."""
    batch_size: int = 64
    epochs: int = 25
    patience: int | None = 6
    learning_rate: float = 1e-3
    """Maximum step size of Adam; rises over the first epoch, then falls along a cosine."""
    average: int = 5
    """Average the weights of this many last epochs, at most half of all, before scoring and
    exporting."""
    num_beams: int = 5
    """Size of the beam; 1: greedy search."""
    seed: int = 1
    """Random seed of the initial weights, the order of the pairs, their pieces and dropout."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.copy and not (self.joint and self.attention != "none"):
            raise UserError(
                "copy requires joint pieces, which source and target share, and attention"
            )
        if self.subword_regularization and self.subwords != "unigram":
            raise UserError("subword_regularization requires subwords unigram, not bpe")
        at_least(1, self, "vocabulary_size", "units", "embedding_size", "average")
        between(1, 100, self, "layers", "num_beams")
        between(1, 10_000, self, "max_length")
        dropouts = "embedding_dropout", "dropout", "output_dropout"
        fraction(self, *dropouts, "subword_regularization", "label_smoothing")
        positive(self, "max_ratio")


@dataclass(frozen=True)
class PredictOptions(BasePredictOptions):
    """Options of `predict`."""

    n_best: int = 1
    """Show this many translations of each line, with their scores."""
    sample: int | None = None
    """Also draw this many translations of each line at random, with their log-likelihoods."""
    temperature: float = 1.0
    """Temperature of the sampling; below 1, probable translations become more frequent."""
    seed: int = 1
    """Random seed of the sampling."""
    attention: Path | None = None
    """Draw the attention weights of the last line: a new .png, .svg or .pdf file."""

    def __post_init__(self) -> None:
        between(1, 100, self, "n_best")
        between(1, 1000, self, "sample")
        if self.sample and self.n_best > 1:
            raise UserError("give either n_best or sample: the best translations, or random ones")
        positive(self, "temperature")
        between(0, 2**31 - 1, self, "seed")


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
_SENTENCES = replace(
    _TRANSLATION, embedding_dropout=0.2, dropout=0.2, output_dropout=0.3, patience=None
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
    "king_james": replace(_SENTENCES, dataset="king_james", epochs=6),
    "multi30k": _CAPTIONS,
    "multi30k_fixed_context": replace(_CAPTIONS, attention="none"),
    "tatoeba": replace(_SENTENCES, dataset="tatoeba", batch_size=32, epochs=4),
}


def examples(config: Config) -> tuple[str, ...]:
    """Return sentences to try `predict` with; for a train_file, placeholders."""
    if config.train_file:
        return "a sentence of your own", "and another one"
    return {
        "dates": ("Friday, March 7th, 2014", "le 1er mai 1999"),
        "king_james": ("And he said unto her, Whither goest thou?", "Thou shalt not kill."),
        "multi30k": ("A man is riding a horse on the beach.", "Two dogs play in the snow."),
        "tatoeba": ("Where is the nearest bank?", "I don't know what to say."),
    }[config.dataset]
