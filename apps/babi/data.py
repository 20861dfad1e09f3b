"""Training data: batches of word ids."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from apps.babi.config import Config
from apps.babi.sentences import UNKNOWN, Vocabulary, split_words
from apps.common import splits
from apps.common.batching import bucket_batches
from apps.common.data import SplitData
from apps.common.facts import counted, labels
from datasets.babi.reading import read_babi
from datasets.babi.stories import Question, read_stories

NO_ANSWER = -1  # an answer that doesn't occur in training
_NOISE = 1  # number of a sentence of one unknown word: an empty fact


class Batch(NamedTuple):
    """Stories and questions as word ids, int32; 0 is padding."""

    facts: np.ndarray  # (batch, facts, words)
    question: np.ndarray  # (batch, words)


@dataclass(frozen=True)
class Encoded:
    """Questions as numbers; each distinct sentence is stored once."""

    sentences: np.ndarray  # (sentences, words) word ids; row 0 is empty, row 1 is noise
    facts: np.ndarray  # (questions, max_facts) rows of sentences, the oldest first, then 0
    questions: np.ndarray  # (questions,) rows of sentences
    answers: np.ndarray  # (questions,)

    @cached_property
    def counts(self) -> np.ndarray:
        """Facts of each question."""
        return np.count_nonzero(self.facts, axis=1)


class Data(SplitData):
    """Training and dev questions; batches are ((facts, question), answers), see `Batch`."""

    monitor: ClassVar[str] = "error"
    mode: ClassVar[Literal["min"]] = "min"

    def plan(self, epoch: int, order: np.random.Generator | None) -> list:
        return bucket_batches(self._widths, self.config.batch_size, order, fill="repeat")

    def gather(self, plan: list, epoch: int, first_step: int) -> tf.data.Dataset:
        encoded, config = self._train_ids, self.config

        def generate() -> Iterator[tuple]:
            for step, (rows, width) in list(enumerate(plan))[first_step:]:
                random = np.random.default_rng((config.seed, epoch, step))
                facts = with_noise(encoded.facts[rows], width, config.noise, random)
                yield tuple(gather(encoded, rows, facts)), encoded.answers[rows]

        words = encoded.sentences.shape[1]
        specs = (
            (tf.TensorSpec([None, None, words], tf.int32), tf.TensorSpec([None, words], tf.int32)),
            tf.TensorSpec([None], tf.int32),
        )
        return tf.data.Dataset.from_generator(generate, output_signature=specs).prefetch(4)

    def facts(self) -> tuple[list[str], list[str]]:
        return self._facts(self.train), self._facts(self.dev)

    def baseline(self) -> tuple[str, float]:
        guess, _ = Counter(question.answer for question in self.train).most_common(1)[0]
        wrong: dict[int, list[bool]] = {}
        for question in self.dev:
            wrong.setdefault(question.task, []).append(question.answer != guess)
        errors = [100 * float(np.mean(of_task)) for of_task in wrong.values()]
        return "the most frequent answer", float(np.mean(errors))

    def _facts(self, questions: list[Question]) -> list[str]:
        stories = len({(q.task, q.story) for q in questions})
        longest = max(len(question.facts) for question in questions)
        limit = f", of which the last {self.config.max_facts} are read (--max_facts)"
        return [
            f"{counted(len(questions), 'question')} of {counted(stories, 'story', 'stories')}",
            labels((question.answer for question in questions), "answer"),
            f"at most {counted(longest, 'fact')}{limit * (longest > self.config.max_facts)}",
        ]

    @cached_property
    def _train_ids(self) -> Encoded:
        return encode(self.train, self.vocabulary, self.config.max_facts)

    @cached_property
    def _widths(self) -> np.ndarray:
        """Number of facts that each question is padded to, with room for noise."""
        counts = self._train_ids.counts
        room = np.ceil(2 * self.config.noise * counts).astype(int)
        return padded_counts(counts + room, self.config)


def load(config: Config) -> Data:
    """Read the training and dev questions.

    Raises:
        DataError: If a file is missing or malformed.
        UserError: If no dev answer occurs in training.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    name = str(config.train_file or "train")
    splits.check_several({q.answer for q in train}, name, "answer", "give more questions")
    vocabulary = Vocabulary.of(train)
    check_answers(dev, vocabulary, str(config.dev_file or "dev"))
    if config.test_file:  # before training, not after
        check_answers(read_split(config, "test"), vocabulary, str(config.test_file))
    return Data(config, train, dev, vocabulary)


def read_split(config: Config, split: str) -> list[Question]:
    """Read the questions of a split; raises the errors of `splits.read_split`."""
    return splits.read_split(config, split, read_stories, read_babi)


def check_answers(questions: list[Question], vocabulary: Vocabulary, name: str) -> None:
    """Warn about answers that do not occur in training; raises the errors of `check_labels`."""
    answers = dict.fromkeys(sorted({q.answer for q in questions}), "")
    splits.check_labels(answers, vocabulary.answers, name, "answer", "are they the same tasks?")


def padded_counts(counts: np.ndarray, config: Config) -> np.ndarray:
    """Round numbers of facts up to a multiple of 8, so that XLA compiles few shapes."""
    return np.minimum(-(-np.maximum(counts, 1) // 8) * 8, config.max_facts)


def encode(questions: list[Question], vocabulary: Vocabulary, max_facts: int) -> Encoded:
    """Convert the words of questions to ids, and answers to numbers."""
    distinct = sorted({text for q in questions for text in (*q.facts, q.question)})
    number = {text: i for i, text in enumerate(distinct, start=_NOISE + 1)}
    ids = vocabulary.lookup()(split_words(tf.constant(distinct)).to_tensor()).numpy()
    sentences = np.zeros((len(distinct) + 2, max(ids.shape[1], 1)), "int32")
    sentences[2:, : ids.shape[1]] = ids
    sentences[_NOISE, 0] = UNKNOWN
    facts = np.zeros((len(questions), max_facts), "int32")
    for row, question in zip(facts, questions, strict=True):
        read = [number[fact] for fact in question.facts[-max_facts:]]
        row[: len(read)] = read
    id_of_answer = {answer: i for i, answer in enumerate(vocabulary.answers)}
    return Encoded(
        sentences=sentences,
        facts=facts,
        questions=np.array([number[q.question] for q in questions], "int32"),
        answers=np.array([id_of_answer.get(q.answer, NO_ANSWER) for q in questions], "int32"),
    )


def gather(encoded: Encoded, rows: np.ndarray, facts: np.ndarray) -> Batch:
    """Look up the words of facts (batch, facts), rows of sentences, and of questions."""
    return Batch(encoded.sentences[facts], encoded.sentences[encoded.questions[rows]])


def with_noise(
    facts: np.ndarray, width: int, share: float, random: np.random.Generator
) -> np.ndarray:
    """Insert empty facts before a random share of the facts, while there is room.

    Args:
        facts: Rows of sentences (batch, facts), padded with 0 at the end.
        width: Number of facts in the result, at least that of each row.
        share: Probability of noise before a fact.
        random: Random number generator.

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
