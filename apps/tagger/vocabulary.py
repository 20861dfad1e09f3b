"""The vocabulary of a tagger: words, characters and tags, with their ids."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import tensorflow as tf

from apps.common.errors import UserError
from apps.common.files import read_json, write_json
from apps.common.text import lower
from apps.tagger.spans import of_iobes, scheme_of, to_iobes
from datasets.formats.columns import Sentence

PADDING, UNKNOWN = 0, 1  # ids of words and of characters; those of a vocabulary follow
FILE = "vocabulary.json"


def normalize(words: tf.Tensor) -> tf.Tensor:
    """Normalize words to their vocabulary entry: lower case, each digit a 0.

    Example:
        >>> normalize(tf.constant(["The", "1984"])).numpy().tolist()
        [b'the', b'0000']
    """
    return tf.strings.regex_replace(lower(words), r"\p{Nd}", "0")


@dataclass(frozen=True)
class Vocabulary:
    """Known words and characters, most frequent first, and the tags.

    Example:
        >>> vocabulary = Vocabulary.of([Sentence(["A", "dog", "a"], ["DET", "NOUN", "DET"])], 2)
        >>> vocabulary.words, vocabulary.characters, vocabulary.tags
        (['a'], 'Aadgo', ['DET', 'NOUN'])
    """

    words: list[str]  # normalized
    tags: list[str]  # tags of the model; spans are in IOBES
    characters: str = ""
    auxiliary: list[list[str]] = field(default_factory=list)  # tags of each auxiliary column
    scheme: str | None = None  # span scheme of the data and of answers; None: no spans
    vector_words: list[str] = field(default_factory=list)  # words with a pretrained vector

    @classmethod
    def of(
        cls, sentences: Iterable[Sentence], min_count: int, vector_words: Iterable[str] = ()
    ) -> "Vocabulary":
        """Collect the vocabulary of sentences.

        Args:
            sentences: Sentences of the training data.
            min_count: Words that occur less often are unknown.
            vector_words: Words with a pretrained vector.

        Raises:
            UserError: If the tags mix several span schemes.
        """
        sentences = list(sentences)
        spellings = Counter(word for sentence in sentences for word in sentence.words)
        characters, words = Counter(), Counter()
        forms = normalize(tf.constant(list(spellings), tf.string)).numpy()
        for form, (spelling, count) in zip(forms, spellings.items(), strict=True):
            words[form.decode()] += count
            for character in spelling:
                characters[character] += count
        scheme = scheme_of([s.tags for s in sentences], lines=[s.lines for s in sentences])
        tags = sorted({tag for sentence in sentences for tag in sentence.tags})
        auxiliary = zip(*(sentence.auxiliary for sentence in sentences), strict=True)
        return cls(
            words=_by_count({w: n for w, n in words.items() if n >= min_count}),
            tags=_all_iobes(tags) if scheme else tags,
            characters="".join(_by_count(characters)),
            auxiliary=[sorted({tag for tags in column for tag in tags}) for column in auxiliary],
            scheme=scheme,
            vector_words=list(vector_words),
        )

    @property
    def size(self) -> int:
        """Number of word ids: the words, padding and the unknown word."""
        return len(self.words) + 2

    @property
    def answers(self) -> list[str]:
        """Name of each tag in answers, in the span scheme of the data."""
        return [of_iobes(tag, self.scheme) if self.scheme else tag for tag in self.tags]

    def tag_ids(self, sentences: list[Sentence]) -> list[int]:
        """Return the tag ids of training sentences, concatenated."""
        ids = {tag: index for index, tag in enumerate(self.tags)}
        inner = (to_iobes(s.tags, self.scheme) if self.scheme else s.tags for s in sentences)
        return [ids[tag] for tags in inner for tag in tags]

    def auxiliary_ids(self, sentences: list[Sentence], column: int) -> list[int]:
        """Return the tag ids of an auxiliary column of training sentences, concatenated."""
        ids = {tag: index for index, tag in enumerate(self.auxiliary[column])}
        return [ids[tag] for sentence in sentences for tag in sentence.auxiliary[column]]

    def word_ids(self) -> dict[str, int]:
        """Map each known word to its id."""
        return _ids(self.words)

    def character_ids(self) -> dict[int, int]:
        """Map the code point of each known character to its id."""
        return _ids(map(ord, self.characters))

    def vector_ids(self) -> dict[str, int]:
        """Map each word with a pretrained vector to its id."""
        return _ids(self.vector_words)

    def save(self, run: Path) -> None:
        """Write `vocabulary.json` to a run folder."""
        write_json(run / FILE, asdict(self))

    @classmethod
    def read(cls, run: Path) -> "Vocabulary":
        """Read `vocabulary.json` of a run folder.

        Raises:
            UserError: If it is missing or damaged.
        """
        content = read_json(run / FILE)
        try:
            return cls(**{f.name: content[f.name] for f in fields(cls)})
        except (TypeError, KeyError):
            raise UserError(f"{run / FILE}: not a vocabulary; train into a new folder") from None


def _all_iobes(tags: list[str]) -> list[str]:
    """Return all IOBES tags of the span classes, even those that don't occur in training."""
    classes = sorted({tag[2:] for tag in tags if tag != "O"})
    return ["O", *(f"{part}-{name}" for name in classes for part in "BIES")]


def _ids(known: Iterable) -> dict:
    return {item: index for index, item in enumerate(known, start=UNKNOWN + 1)}


def _by_count(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda item: (-counts[item], item))
