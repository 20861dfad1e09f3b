"""Words divided into pieces, as SentencePiece learns them from the training sentences."""

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
SPACE = "\u2581"  # how SentencePiece writes it, before each word
BEST = 64  # divisions of a word that may be drawn
SOURCE_FILE, TARGET_FILE = "source.model", "target.model"


@dataclass(frozen=True)
class Subwords:
    """A SentencePiece model of each side; of a joint vocabulary, twice the same."""

    source: bytes
    target: bytes

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of the pieces of each side."""
        return tuple(len(processor(model)) for model in (self.source, self.target))

    def save(self, run: Path) -> None:
        """Write `source.model` and `target.model` into a run folder."""
        (run / SOURCE_FILE).write_bytes(self.source)
        (run / TARGET_FILE).write_bytes(self.target)

    @classmethod
    def read(cls, run: Path) -> "Subwords":
        """Read what `save` wrote.

        Raises:
            UserError: it is missing or damaged.
        """
        models = []
        for name in (SOURCE_FILE, TARGET_FILE):
            try:
                models.append((run / name).read_bytes())
                processor(models[-1])
            except (OSError, RuntimeError) as error:
                problem = getattr(error, "strerror", None) or "no model of SentencePiece"
                raise UserError(f"{run / name}: {problem}; train into a new folder") from None
        return cls(*models)


def processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """Make of a model what divides sentences by it."""
    pieces = sentencepiece.SentencePieceProcessor()
    pieces.LoadFromSerializedProto(model)  # as an argument above, no bytes would be no error
    return pieces


def learn(sentences: Iterable[str], vocabulary_size: int, kind: str) -> bytes:
    """Learn pieces: PAD, UNKNOWN, BOS and EOS are the first four.

    Args:
        sentences: of the training data.
        vocabulary_size: number of pieces, those four included.
        kind: `unigram` or `bpe`.

    Returns:
        A SentencePiece model.

    Raises:
        UserError: the sentences have too few or too many different pieces for that number.
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
            num_threads=1,  # the pieces of several depend on their number
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(_plain(str(error), vocabulary_size)) from None
    return model.getvalue()


def encode(model: bytes, sentences: Sequence[str]) -> list[list[int]]:
    """Divide sentences into the ids of pieces, in the best way.

    Args:
        model: of SentencePiece.
        sentences: as they are written.
    """
    return processor(model).encode(list(sentences))


def sample(
    model: bytes, sentences: Sequence[str], alpha: float, random: np.random.Generator
) -> list[list[int]]:
    """Divide sentences by chance: subword regularisation.

        P(pieces of a word) ~ p(pieces)^alpha, among the best divisions of the word

    Word by word this is the paper's sampling of a sentence, since no piece crosses a space.
    SentencePiece's own sampling can't be repeated: whatever the seed, each process draws anew.

    Args:
        model: of SentencePiece, `unigram`.
        sentences: as they are written.
        alpha: > 0; the smaller, the more evenly.
        random: where the chance comes from.

    Source:
        Kudo 2018, 3.2.
    """
    divide = processor(model)
    log_p = np.array([divide.get_score(piece) for piece in range(len(divide))])

    @cache
    def divisions(word: str) -> tuple[list[list[int]], list[float]]:
        ways = divide.nbest_encode_as_ids(word, nbest_size=BEST)
        p = np.exp([alpha * (log_p[way].sum() - log_p[ways[0]].sum()) for way in ways])
        return ways, (np.cumsum(p) / p.sum()).tolist()

    rows = []
    for sentence in sentences:
        words = divide.normalize(sentence).split(SPACE)[1:]
        row = []
        for word, u in zip(words, random.random(len(words)).tolist(), strict=True):
            ways, up_to = divisions(word)
            row += ways[bisect(up_to, u, hi=len(ways) - 1)]
        rows.append(row)
    return rows


def decode(model: bytes, ids: Sequence[Sequence[int]]) -> list[str]:
    """Put pieces together."""
    return processor(model).decode([list(map(int, row)) for row in ids])


def _plain(message: str, size: int) -> str:
    """Say in plain words what SentencePiece complains of."""
    if found := re.search(r"Please set it to a value <= (\d+)", message):
        return (
            f"vocabulary_size {size} is more than the training sentences allow; choose at most "
            f"{found[1]}"
        )
    if found := re.search(r"(\d+) vs\.? (\d+)", message):
        return (
            f"vocabulary_size {size} is too small: the training sentences alone have "
            f"{found[2]} characters and signs; choose a larger one"
        )
    return f"SentencePiece can't learn {size} pieces of the training sentences: {message.strip()}"
