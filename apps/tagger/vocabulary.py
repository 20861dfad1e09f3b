"""The words and the tags that a tagger knows, as ids."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from apps.common.errors import UserError
from apps.common.run_folder import read_json, write_json
from datasets.columns import Sentence

PADDING, UNKNOWN = 0, 1  # ids of words; the words of a vocabulary follow
FILE = "vocabulary.json"


@dataclass(frozen=True)
class Vocabulary:
    """Known words, frequent first, and tags, in alphabetical order.

    >>> vocabulary = Vocabulary.of([Sentence(["a", "dog", "a"], ["DET", "NOUN", "DET"])], 2)
    >>> vocabulary
    Vocabulary(words=['a'], tags=['DET', 'NOUN'])
    """

    words: list[str]
    tags: list[str]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], min_count: int) -> "Vocabulary":
        """Collect the words that occur at least `min_count` times, and all the tags."""
        words, tags = Counter(), set()
        for sentence in sentences:
            words.update(sentence.words)
            tags.update(sentence.tags)
        known = sorted((-count, word) for word, count in words.items() if count >= min_count)
        return cls([word for _, word in known], sorted(tags))

    @property
    def size(self) -> int:
        """Number of word ids: the words, padding and the unknown word."""
        return len(self.words) + 2

    def word_ids(self) -> dict[str, int]:
        """Map each known word to its id."""
        return {word: index for index, word in enumerate(self.words, start=UNKNOWN + 1)}

    def save(self, run: Path) -> None:
        """Write `vocabulary.json` into a run folder."""
        write_json(run / FILE, asdict(self))

    @classmethod
    def read(cls, run: Path) -> "Vocabulary":
        """Read `vocabulary.json` of a run folder.

        Raises:
            UserError: it is missing or damaged.
        """
        content = read_json(run / FILE)
        try:
            return cls(words=list(content["words"]), tags=list(content["tags"]))
        except (TypeError, KeyError):
            raise UserError(f"{run / FILE}: not a vocabulary; train into a new folder") from None
