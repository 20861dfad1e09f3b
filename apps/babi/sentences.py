"""Split text into sentences, words and ids, by the same operations in training and exports."""

import json
from pathlib import Path
from typing import NamedTuple, Self

import keras
import tensorflow as tf

from apps.common.files import read_json, write_json
from apps.common.text import lower, valid_utf8
from datasets.babi.stories import Question

FILE = "vocabulary.json"
PADDING, UNKNOWN = 0, 1  # word ids; those of words begin at 2


def split_sentences(text: tf.Tensor) -> tf.RaggedTensor:
    """Split texts (batch,) at the ends of sentences and lines: (batch, ragged sentences).

    Example:
        >>> split_sentences(tf.constant(["It rains.  Is it wet? ", ""])).to_list()
        [[b'It rains.', b'Is it wet?'], []]
    """
    lines = tf.strings.regex_replace(valid_utf8(text), r"([.!?]+)(?:\s+|$)", "\\1\n")
    sentences = tf.ragged.map_flat_values(tf.strings.strip, tf.strings.split(lines, "\n"))
    return tf.ragged.boolean_mask(sentences, sentences != "")


def split_words(sentences: tf.Tensor) -> tf.RaggedTensor:
    """Split sentences (batch,) into lower-case words, without punctuation.

    Example:
        >>> split_words(tf.constant(["Where is Mary's dog?"])).to_list()
        [[b'where', b'is', b"mary's", b'dog']]
    """
    text = lower(valid_utf8(sentences))
    return tf.strings.split(tf.strings.regex_replace(text, r"[^\pL\pM\pN'’-]+", " "))


def split_question(text: str) -> tuple[str, str]:
    """Split a text into the story and its last sentence, the question.

    Example:
        >>> split_question("It rains. Is it wet?")
        ('It rains.', 'Is it wet?')
    """
    sentences = [s.decode() for s in split_sentences(tf.constant([text])).flat_values.numpy()]
    return "\n".join(sentences[:-1]), "".join(sentences[-1:])


class Vocabulary(NamedTuple):
    """The words of the training questions, and their answers."""

    words: list[str]
    answers: list[str]

    @classmethod
    def of(cls, questions: list[Question]) -> Self:
        """Collect words and answers in alphabetical order."""
        sentences = sorted({text for q in questions for text in (*q.facts, q.question)})
        words = {word.decode() for word in split_words(tf.constant(sentences)).flat_values.numpy()}
        return cls(sorted(words), sorted({q.answer for q in questions}))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(**read_json(folder / FILE))

    def save(self, folder: Path) -> None:
        write_json(folder / FILE, self._asdict())

    @property
    def text(self) -> str:
        return json.dumps(self._asdict())

    @property
    def size(self) -> int:
        """Number of word ids."""
        return len(self.words) + 2

    def lookup(self) -> keras.layers.Layer:
        """Return a layer from words to ids, and from empty strings to padding."""
        return keras.layers.StringLookup(vocabulary=self.words, mask_token="")
