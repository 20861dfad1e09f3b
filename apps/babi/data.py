"""From questions to batches of ids."""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from apps.babi.config import Config
from apps.babi.sentences import UNKNOWN, Vocabulary, split_words
from apps.common.app import History
from apps.common.errors import UserError
from datasets.babi.reading import read_babi
from datasets.babi.stories import Question, read_stories

SPLITS = ("train", "dev", "test")
NO_ANSWER = -1  # one that training doesn't have
_NOISE = 1  # sentence of an unknown word: a fact without meaning


class Batch(NamedTuple):
    """Stories and questions as ids of words, int32; 0 is padding."""

    facts: np.ndarray  # (batch, facts, words)
    question: np.ndarray  # (batch, words)


@dataclass(frozen=True)
class Encoded:
    """Questions as numbers: each sentence is kept once."""

    sentences: np.ndarray  # (sentences, words) ids of words; 0 is empty, 1 is noise
    facts: np.ndarray  # (questions, max_facts) numbers of sentences, the oldest first, then 0
    questions: np.ndarray  # (questions,) numbers of sentences
    answers: np.ndarray  # (questions,)

    @cached_property
    def counts(self) -> np.ndarray:
        """Facts of each question."""
        return np.count_nonzero(self.facts, axis=1)


@dataclass(frozen=True)
class Data:
    """Training and dev questions, and the batches made of them."""

    config: Config
    train: list[Question]
    dev: list[Question]
    vocabulary: Vocabulary

    monitor: ClassVar[str] = "error"
    mode: ClassVar[Literal["min"]] = "min"

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev questions."""
        return checksum(self.train + self.dev)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training batches."""
        return sum(1 for _ in plan(self._widths, self.config.batch_size))

    def batches(self, epoch: int, first_step: int = 0, history: History = ()) -> tf.data.Dataset:
        """Make the training batches of an epoch, a function of the seed and the epoch alone.

        Args:
            epoch: number of the epoch, from 1.
            first_step: batches to leave out, at no cost.
            history: ignored.

        Returns:
            Batches ((facts, question), answers): see `Batch`; answers (batch,).
        """
        encoded, noise = self._train_ids, self.config.noise
        order = np.random.default_rng((self.config.seed, epoch))
        steps = list(plan(self._widths, self.config.batch_size, order))

        def generate() -> Iterator[tuple]:
            for step, (rows, width) in enumerate(steps[first_step:], start=first_step):
                random = np.random.default_rng((self.config.seed, epoch, step))
                facts = with_noise(encoded.facts[rows], width, noise, random)
                yield tuple(gather(encoded, rows, facts)), encoded.answers[rows]

        words = encoded.sentences.shape[1]
        specs = (
            (tf.TensorSpec([None, None, words], tf.int32), tf.TensorSpec([None, words], tf.int32)),
            tf.TensorSpec([None], tf.int32),
        )
        return tf.data.Dataset.from_generator(generate, output_signature=specs).prefetch(4)

    def save(self, run: Path) -> None:
        """Write into a run folder what an export needs besides the weights."""
        self.vocabulary.save(run)

    @cached_property
    def _train_ids(self) -> Encoded:
        return encode(self.train, self.vocabulary, self.config.max_facts)

    @cached_property
    def _widths(self) -> np.ndarray:
        """To how many facts each question is padded: a few lengths, with room for noise."""
        counts = self._train_ids.counts
        room = np.ceil(2 * self.config.noise * counts).astype(int)
        return np.minimum(-(-np.maximum(counts + room, 1) // 8) * 8, self.config.max_facts)


def load(config: Config) -> Data:
    """Read what training needs.

    Raises:
        DataError: a file is missing or malformed.
        UserError: no dev answer occurs in training.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    vocabulary = Vocabulary.of(train)
    check_answers(dev, vocabulary, str(config.dev_file or "dev"))
    return Data(config, train, dev, vocabulary)


def read_split(config: Config, split: str) -> list[Question]:
    """Read the questions of a split.

    Raises:
        UserError: there is no such split.
        DataError: a file is missing or malformed.
    """
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
    if not config.train_file:
        return read_babi(split)
    path = getattr(config, f"{split}_file")
    if path is None:
        raise UserError(f"the model was trained without a {split}_file; give --test_file FILE")
    return read_stories(path)


def check_answers(questions: list[Question], vocabulary: Vocabulary, name: str) -> None:
    """Warn of answers that training doesn't have.

    Raises:
        UserError: it has none of them.
    """
    answers, known = {q.answer for q in questions}, set(vocabulary.answers)
    some = ", ".join(sorted(answers - known)[:3])
    if not answers & known:
        raise UserError(f"{name}: no answer occurs in training: {some}; are they the same tasks?")
    if some:
        dots = ", ..." if len(answers - known) > 3 else ""
        print(
            f"warning: {name}: answers that training doesn't have count as errors: {some}{dots}",
            file=sys.stderr,
        )


def checksum(questions: list[Question]) -> str:
    """Compute the SHA-256 of questions, with their facts and answers."""
    return hashlib.sha256(json.dumps(questions).encode()).hexdigest()


def encode(questions: list[Question], vocabulary: Vocabulary, max_facts: int) -> Encoded:
    """Replace the words of questions by ids, and answers by numbers."""
    # 0 is no sentence, 1 is noise.
    distinct = sorted({text for q in questions for text in (*q.facts, q.question)})
    number = {text: i for i, text in enumerate(distinct, start=2)}
    ids = vocabulary.lookup()(split_words(tf.constant(distinct)).to_tensor()).numpy()
    sentences = np.zeros((len(distinct) + 2, max(ids.shape[1], 1)), "int32")
    sentences[2:, : ids.shape[1]] = ids
    sentences[_NOISE, 0] = UNKNOWN
    facts = np.zeros((len(questions), max_facts), "int32")
    for row, question in zip(facts, questions, strict=True):
        read = [number[fact] for fact in question.facts[-max_facts:]]
        row[: len(read)] = read
    of_answer = {answer: i for i, answer in enumerate(vocabulary.answers)}
    return Encoded(
        sentences=sentences,
        facts=facts,
        questions=np.array([number[q.question] for q in questions], "int32"),
        answers=np.array([of_answer.get(q.answer, NO_ANSWER) for q in questions], "int32"),
    )


def plan(
    widths: np.ndarray, batch_size: int, order: np.random.Generator | None = None
) -> Iterator[tuple[np.ndarray, int]]:
    """Put questions of one width together.

    Args:
        widths: of each question, to how many facts it is padded.
        batch_size: questions of a batch.
        order: shuffles the questions of a width, and then the batches.

    Yields:
        Rows (batch size,) and the width of each batch. All are full, since XLA compiles each shape:
        the first questions of a width fill up its last batch.
    """
    rows = np.arange(len(widths)) if order is None else order.permutation(len(widths))
    batches = []
    for width in np.unique(widths).tolist():
        members = rows[widths[rows] == width]
        steps = -(-len(members) // batch_size)
        full = np.resize(members, (steps, batch_size))
        batches += [(batch, width) for batch in full]
    chosen = range(len(batches)) if order is None else order.permutation(len(batches))
    return (batches[i] for i in chosen)


def gather(encoded: Encoded, rows: np.ndarray, facts: np.ndarray) -> Batch:
    """The words of facts (batch, facts), numbers of sentences, and of the questions of rows."""
    return Batch(encoded.sentences[facts], encoded.sentences[encoded.questions[rows]])


def with_noise(
    facts: np.ndarray, width: int, share: float, random: np.random.Generator
) -> np.ndarray:
    """Put facts without meaning before a random share of facts, as far as there is room.

    Args:
        facts: (batch, facts) numbers of sentences, 0 behind them.
        width: facts of the result, at least those of each row.
        share: probability of noise before a fact.
        random: draws it.

    Example:
        >>> with_noise(np.array([[5, 6, 0], [7, 0, 0]]), 4, 0.9, np.random.default_rng(0)).tolist()
        [[1, 5, 1, 6], [1, 7, 0, 0]]
    """
    real = facts > 0
    noise = (random.random(facts.shape) < share) & real
    noise &= np.cumsum(noise, axis=1) <= width - real.sum(axis=1, keepdims=True)
    place = np.arange(facts.shape[1]) + np.cumsum(noise, axis=1)
    result = np.zeros((len(facts), width), facts.dtype)
    for chosen, shift in ((real, 0), (noise, 1)):
        row, column = np.nonzero(chosen)
        result[row, place[chosen] - shift] = _NOISE if shift else facts[row, column]
    return result
