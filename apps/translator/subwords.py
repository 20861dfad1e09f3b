"""Words divided into pieces, as SentencePiece learns them from the training sentences."""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece

from apps.common.errors import UserError

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
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


def encode(
    model: bytes, sentences: Sequence[str], alpha: float = 0.0, seed: int = 0
) -> list[list[int]]:
    """Divide sentences into the ids of pieces.

    Args:
        model: of SentencePiece.
        sentences: as they are written.
        alpha: of subword regularisation; 0: always the best division.
        seed: of the divisions, if alpha is above 0.
    """
    divide = processor(model)
    if not alpha:
        return divide.encode(list(sentences))
    sentencepiece.set_random_generator_seed(seed)
    return divide.encode(
        list(sentences), enable_sampling=True, alpha=alpha, nbest_size=-1, num_threads=1
    )


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
