"""Words split into pieces, which SentencePiece learns from the training sentences."""

import io
import re
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import sentencepiece

from apps.common.errors import UserError

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
SPACE = "\u2581"  # SentencePiece's mark before each word
MAX_SEGMENTATIONS = 64  # of a word, from which one is sampled
SOURCE_FILE, TARGET_FILE = "source.model", "target.model"


@dataclass(frozen=True)
class Subwords:
    """SentencePiece models of both sides; with a joint vocabulary, they are the same."""

    source: bytes
    target: bytes

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of pieces of each side."""
        return tuple(len(processor(model)) for model in (self.source, self.target))

    def save(self, run: Path) -> None:
        """Write `source.model` and `target.model` to a run folder."""
        (run / SOURCE_FILE).write_bytes(self.source)
        (run / TARGET_FILE).write_bytes(self.target)

    @classmethod
    def read(cls, run: Path) -> "Subwords":
        """Read what `save` wrote.

        Raises:
            UserError: If a file is missing or damaged.
        """
        models = []
        for name in (SOURCE_FILE, TARGET_FILE):
            try:
                models.append((run / name).read_bytes())
                processor(models[-1])
            except (OSError, RuntimeError) as error:
                problem = getattr(error, "strerror", None) or "not a SentencePiece model"
                raise UserError(f"{run / name}: {problem}; train into a new folder") from None
        return cls(*models)


def processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """Load a SentencePiece model."""
    pieces = sentencepiece.SentencePieceProcessor()
    pieces.LoadFromSerializedProto(model)  # the constructor would accept empty bytes
    return pieces


def learn(sentences: Iterable[str], vocabulary_size: int, kind: str) -> bytes:
    """Learn pieces; PAD, UNKNOWN, BOS and EOS are the first four.

    Args:
        sentences: Sentences of the training data.
        vocabulary_size: Number of pieces, including those four.
        kind: `unigram` or `bpe`.

    Returns:
        A SentencePiece model.

    Raises:
        UserError: If the sentences have too few or too many distinct pieces for that number.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            model_type=kind,
            vocab_size=vocabulary_size,
            character_coverage=1.0,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=BOS,
            eos_id=EOS,
            num_threads=1,  # the result depends on the number of threads
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(_explain(str(error), vocabulary_size)) from None
    return model.getvalue()


def encode(model: bytes, sentences: Sequence[str]) -> list[list[int]]:
    """Split sentences into the ids of their most probable pieces.

    Args:
        model: SentencePiece model.
        sentences: Raw sentences.
    """
    return processor(model).encode(list(sentences))


def sample(
    model: bytes, sentences: Sequence[str], alpha: float, random: np.random.Generator
) -> list[list[int]]:
    """Split sentences into pieces at random: subword regularization.

        P(pieces of a word) ~ p(pieces)^alpha, among the most probable segmentations of the word

    Sampling word by word is the paper's sampling of a sentence, since no piece crosses a space.
    SentencePiece's own sampling can't be seeded.

    Args:
        model: SentencePiece model, `unigram`.
        sentences: Raw sentences.
        alpha: Exponent > 0; the smaller, the more uniform.
        random: Generator of the random numbers.

    Source:
        Kudo 2018, 3.2.
    """
    pieces = processor(model)
    log_p = np.array([pieces.get_score(piece) for piece in range(len(pieces))])

    @cache
    def segmentations(word: str) -> tuple[list[list[int]], list[float]]:
        """Return the segmentations of a word and their cumulative probabilities."""
        found = pieces.nbest_encode_as_ids(word, nbest_size=MAX_SEGMENTATIONS)
        p = np.exp([alpha * (log_p[ids].sum() - log_p[found[0]].sum()) for ids in found])
        return found, (np.cumsum(p) / p.sum()).tolist()

    rows = []
    for sentence in sentences:
        words = pieces.normalize(sentence).split(SPACE)[1:]
        row = []
        for word, u in zip(words, random.random(len(words)).tolist(), strict=True):
            found, cumulative = segmentations(word)
            row += found[bisect(cumulative, u, hi=len(found) - 1)]
        rows.append(row)
    return rows


def decode(model: bytes, ids: Sequence[Sequence[int]]) -> list[str]:
    """Join pieces into sentences."""
    return processor(model).decode([list(map(int, row)) for row in ids])


def _explain(message: str, size: int) -> str:
    """Explain an error of SentencePiece in plain words."""
    if found := re.search(r"Please set it to a value <= (\d+)", message):
        return (
            f"vocabulary_size {size} is more than the training sentences allow; choose at most "
            f"{found[1]}"
        )
    if found := re.search(r"(\d+) vs\.? (\d+)", message):
        return (
            f"vocabulary_size {size} is too small: the characters of the training sentences and "
            f"the control symbols alone are {found[2]}; choose a larger one"
        )
    if "sentences_.empty()" in message:
        return (
            "no training line has fewer than 4,192 bytes, the limit of SentencePiece; give one "
            "sentence per line"
        )
    return f"SentencePiece can't learn {size} pieces from the training sentences: {message.strip()}"
