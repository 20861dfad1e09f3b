"""From text to batches of ids, padded to the length of their bucket."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from apps.common.errors import UserError
from apps.tagger.config import Config
from apps.tagger.restoration import annotate
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary
from datasets import king_james
from datasets.columns import Sentence, read_columns

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Data:
    """Training and dev sentences, and the batches made of them."""

    config: Config
    train: list[Sentence]
    dev: list[Sentence]
    vocabulary: Vocabulary

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev sentences."""
        return checksum(self.train + self.dev)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training batches."""
        rows, _ = plan(self._train_ids.lengths, self.config.batch_size)
        return len(rows)

    def batches(self, epoch: int, first_step: int = 0) -> tf.data.Dataset:
        """Make the training batches of an epoch, a function of the seed and the epoch alone.

        Args:
            epoch: number of the epoch.
            first_step: batches to leave out, at no cost.

        Returns:
            Batches (word ids (batch, length), tag ids (batch, length), weights (batch, length)).
        """
        order = np.random.default_rng((self.config.seed, epoch))
        rows, widths = plan(self._train_ids.lengths, self.config.batch_size, order)
        return dataset(self._train_ids, rows[first_step:], widths[first_step:])

    def dev_batches(self) -> tf.data.Dataset:
        """Make the dev batches, in the form of `batches`."""
        return dataset(self._dev_ids, *plan(self._dev_ids.lengths, self.config.batch_size))

    def save(self, run: Path) -> None:
        """Write into a run folder what an export needs besides the weights."""
        self.vocabulary.save(run)

    @cached_property
    def _train_ids(self) -> "Ids":
        return encode(self.train, self.vocabulary)

    @cached_property
    def _dev_ids(self) -> "Ids":
        return encode(self.dev, self.vocabulary)


@dataclass(frozen=True)
class Ids:
    """Sentences as ids, one after the other in flat arrays."""

    words: np.ndarray
    tags: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def load(config: Config) -> Data:
    """Read what training needs.

    Raises:
        DataError: a file is missing or malformed.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    return Data(config, train, dev, Vocabulary.of(train, config.min_count))


def read_split(config: Config, split: str) -> list[Sentence]:
    """Read the sentences of a split: of the King James text a verse each.

    Args:
        config: says where the sentences come from.
        split: `train`, `dev` or `test`.

    Raises:
        UserError: there is no such split.
        DataError: a file is missing or malformed.
    """
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
    if config.restores:
        return [Sentence(*annotate(verse)) for verse in king_james.verses(split)]
    path = getattr(config, f"{split}_file")
    if path is None:
        raise UserError(f"the model was trained without a {split}_file; give --test_file FILE")
    return read_columns(path)


def checksum(sentences: list[Sentence]) -> str:
    """Compute the SHA-256 of sentences."""
    return hashlib.sha256(json.dumps(sentences).encode()).hexdigest()


def encode(sentences: list[Sentence], vocabulary: Vocabulary) -> Ids:
    """Replace words and tags by ids; a tag that training never showed gets an id of no tag."""
    words, tags = vocabulary.word_ids(), {tag: i for i, tag in enumerate(vocabulary.tags)}
    lengths = np.array([len(sentence.words) for sentence in sentences], "int32")
    return Ids(
        words=np.array([words.get(w, UNKNOWN) for s in sentences for w in s.words], "int32"),
        tags=np.array([tags.get(t, len(tags)) for s in sentences for t in s.tags], "int32"),
        starts=(np.cumsum(lengths) - lengths).astype("int32"),
        lengths=lengths,
    )


def bucket_lengths(lengths: np.ndarray) -> np.ndarray:
    """Round lengths up to 8, 16, 24, 32, 48, 64, 96, 128, ...: few, so that XLA compiles few.

    >>> bucket_lengths(np.array([1, 8, 9, 30, 33, 65, 10_000])).tolist()
    [8, 8, 16, 32, 48, 96, 12288]
    """
    power = 2 ** np.ceil(np.log2(np.maximum(lengths, 8))).astype("int32")
    rounded = np.where(lengths <= power * 3 // 4, power * 3 // 4, power)
    return -(-rounded // 8) * 8


def plan(
    lengths: np.ndarray, batch_size: int, order: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Put sentences of like length together.

    Args:
        lengths: words of each sentence.
        batch_size: sentences of a batch.
        order: shuffles the sentences of a bucket, and then the batches.

    Returns:
        Rows (steps, batch size): the sentences of each batch, -1 where there are not enough; and
        widths (steps,): the length to which each batch is padded.
    """
    sentences = np.arange(len(lengths)) if order is None else order.permutation(len(lengths))
    buckets = bucket_lengths(lengths[sentences])
    rows, widths = [], []
    for width in np.unique(buckets):
        members = sentences[buckets == width]
        steps = -(-len(members) // batch_size)
        padded = np.full(steps * batch_size, -1, "int32")
        padded[: len(members)] = members
        rows.append(padded.reshape(steps, batch_size))
        widths.append(np.full(steps, width, "int32"))
    rows, widths = np.concatenate(rows), np.concatenate(widths)
    if order is not None:
        shuffled = order.permutation(len(rows))
        rows, widths = rows[shuffled], widths[shuffled]
    return rows, widths


def dataset(ids: Ids, rows: np.ndarray, widths: np.ndarray) -> tf.data.Dataset:
    """Gather planned batches; see `Data.batches` for their form."""
    words, tags = tf.constant(ids.words), tf.constant(ids.tags)
    starts, lengths = tf.constant(ids.starts), tf.constant(ids.lengths)

    def gather(rows: tf.Tensor, width: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        sentences = tf.maximum(rows, 0)
        length = tf.where(rows < 0, 0, tf.gather(lengths, sentences))
        mask = tf.sequence_mask(length, width)
        index = tf.gather(starts, sentences)[:, None] + tf.range(width)[None, :]
        index = tf.where(mask, index, 0)
        return (
            tf.where(mask, tf.gather(words, index), PADDING),
            tf.where(mask, tf.gather(tags, index), 0),
            tf.cast(mask, tf.float32),
        )

    batches = tf.data.Dataset.from_tensor_slices((rows, widths))
    return batches.map(gather, num_parallel_calls=2, deterministic=True).prefetch(2)


def pad(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    """Make a rectangle of words, filled up with empty strings.

    >>> pad([["a", "dog"], ["run"]]).tolist()
    [['a', 'dog'], ['run', '']]
    """
    width = max((len(words) for words in sentences), default=0)
    return np.array([[*words, *[""] * (width - len(words))] for words in sentences], object)
