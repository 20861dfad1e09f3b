"""Training data: batches of ids, padded to the length of their bucket."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from apps.common import splits
from apps.common.batching import bucket_batches
from apps.common.data import SplitData
from apps.common.errors import UserError
from apps.common.facts import counted, cut, labels, percent
from apps.tagger.config import Config
from apps.tagger.features import Features
from apps.tagger.restoration import annotate
from apps.tagger.scores import score
from apps.tagger.spans import from_iobes, location, looks_like_spans, scheme_of, to_iobes
from apps.tagger.vocabulary import UNKNOWN, Vocabulary
from datasets.formats.columns import Sentence
from datasets.formats.lines import warn
from datasets.formats.tagged import read_tagged
from datasets.formats.vectors import read_vectors
from datasets.king_james import reading as king_james
from datasets.tagging import AUXILIARY, read_benchmark

NEIGHBORS = 2000  # most frequent words, the targets of the language model
NO_TAG = -1  # target of padding


@dataclass(frozen=True)
class Data(SplitData):
    """Training and dev sentences.

    Batches are (inputs, targets), dicts of ids (batch, length); characters are (batch, length,
    characters). Padding is 0 in inputs and NO_TAG in targets.
    """

    vectors: np.ndarray | None = None  # (words, width), of vocabulary.vector_words
    mode = "max"  # the highest score is the best

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev sentences."""
        return checksum(self.train + self.dev)

    @property
    def monitor(self) -> str:
        if self.vocabulary.scheme:
            return "f1"
        return "macro_f1" if self.config.restores else "accuracy"

    def plan(self, epoch: int, order: np.random.Generator | None) -> list:
        return bucket_batches(self._widths, self.config.batch_size, order)

    def gather(self, plan: list, epoch: int, first_step: int) -> tf.data.Dataset:
        batches = dataset(self._train_ids, plan, first_step)
        return batches.map(_with_neighbors) if self.config.language_model else batches

    def facts(self) -> tuple[list[str], list[str]]:
        words = [word for sentence in self.dev for word in sentence.words]
        known = {word for sentence in self.train for word in sentence.words}
        unknown = percent(sum(word not in known for word in words), len(words))
        learned = {tuple(sentence.words) for sentence in self.train}
        repeated = sum(tuple(sentence.words) in learned for sentence in self.dev)
        first = zip(self.train[0].words, self.train[0].tags, strict=True)
        with_vector = _lower(self.train) & set(self.vocabulary.vector_words)
        train = [
            counted(len(self.train), "sentence"),
            counted(sum(len(sentence.words) for sentence in self.train), "word"),
            labels((tag for sentence in self.train for tag in sentence.tags), "tag"),
            f"{self.vocabulary.scheme} spans" if self.vocabulary.scheme else "no spans",
            f"begins {cut(' '.join(map('/'.join, first)))}",
        ]
        if self.vectors is not None:
            train.append(f"vectors of {counted(len(with_vector), 'distinct word')}")
        return train, [
            counted(len(self.dev), "sentence"),
            f"{counted(len(words), 'word')} ({unknown} not in training)",
            f"{counted(repeated, 'sentence')} also in training",
        ]

    def baseline(self) -> tuple[str, float]:
        tags = Counter(tag for sentence in self.train for tag in sentence.tags)
        ((tag, _),) = tags.most_common(1)
        gold = [sentence.tags for sentence in self.dev]
        guess = [[tag] * len(sentence.tags) for sentence in self.dev]
        scores = score(gold, guess, spans=self.vocabulary.scheme is not None)
        return "the most frequent tag", scores[self.monitor]

    @cached_property
    def _train_ids(self) -> "Ids":
        return encode(self.train, self.vocabulary, input_names(self.config))

    @cached_property
    def _widths(self) -> np.ndarray:
        return bucket_lengths(self._train_ids.lengths)


@dataclass(frozen=True)
class Ids:
    """Sentences as ids, concatenated in flat arrays."""

    inputs: dict[str, np.ndarray]  # of each distinct spelling; the first is padding
    targets: dict[str, np.ndarray]  # of each word
    spellings: np.ndarray  # of each word
    starts: np.ndarray  # of each sentence
    lengths: np.ndarray


def input_names(config: Config) -> list[str]:
    """Return the names of a model's inputs."""
    reads = {
        "words": True,
        "vectors": config.vectors is not None,
        "casing": config.casing,
        "characters": config.characters != "none",
    }
    return [name for name, is_read in reads.items() if is_read]


def load(config: Config) -> Data:
    """Read the training and dev sentences.

    Raises:
        DataError: If a file is missing or malformed.
        UserError: If the tags of the dev sentences are not those of training.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    words, vectors = read_vectors(config.vectors) if config.vectors else ([], None)
    name = str(config.train_file or "train")
    tags = {tag for sentence in train for tag in sentence.tags}
    splits.check_several(tags, name, "tag", "is it the right column (--column)?")
    for index, column in enumerate(config.auxiliary):
        values = {value for sentence in train for value in sentence.auxiliary[index]}
        kind, hint = f"value of the auxiliary column {column}", "leave it out of --auxiliary"
        splits.check_several(values, name, kind, hint)
    try:
        vocabulary = Vocabulary.of(train, config.min_count, words)
    except UserError as error:  # add the file to the line
        raise UserError(f"{name}, {error}") from None
    if words and not set(words) & _lower(train):
        raise UserError(f"{config.vectors}: no word of {name} has a vector; is the language right?")
    if config.train_file and not vocabulary.scheme and looks_like_spans(tags):
        warn(
            f"{name}: tags such as {max(tags - {'O', 'o'})!r} are read as plain tags; to score "
            "spans, spell them B-NAME, I-NAME and O"
        )
    train = check_tags(train, vocabulary, "train")
    dev = check_tags(dev, vocabulary, str(config.dev_file or "dev"))
    if config.test_file:  # before hours of training, not after
        check_tags(read_split(config, "test"), vocabulary, str(config.test_file))
    return Data(config, train, dev, vocabulary, vectors)


def _lower(sentences: list[Sentence]) -> set[str]:
    """Return the distinct words of sentences in lower case, as word vectors are looked up."""
    return {word.lower() for sentence in sentences for word in sentence.words}


def read_split(config: Config, split: str) -> list[Sentence]:
    """Read the sentences of a split; a sentence of the King James text is a verse.

    `train` includes the auxiliary columns. Raises the errors of `splits.read_split`, and a
    UserError if there is no such column.
    """
    auxiliary = config.auxiliary if split == "train" else ()

    def read_dataset(split: str) -> list[Sentence]:
        columns = AUXILIARY.get(config.dataset, ())
        for name in auxiliary:
            if name not in columns:
                available = f"only {' and '.join(columns)}" if columns else "none"
                raise UserError(f"auxiliary: {config.dataset} has no column {name!r}, {available}")
        if config.dataset == "king_james":
            return [Sentence(*annotate(verse)) for verse in king_james.verses(split)]
        sentences = read_benchmark(config.dataset, split)
        chosen = [columns.index(name) for name in auxiliary]
        return [s._replace(auxiliary=tuple(s.auxiliary[i] for i in chosen)) for s in sentences]

    return splits.read_split(
        config, split, lambda path: read_file(config, path, auxiliary), read_dataset
    )


def read_file(config: Config, path: Path, auxiliary: tuple[str, ...] = ()) -> list[Sentence]:
    """Read a file with the columns of a configuration."""
    return read_tagged(path, config.column, auxiliary, config.word_column)


def check_tags(sentences: list[Sentence], vocabulary: Vocabulary, name: str) -> list[Sentence]:
    """Check that tags occur in training, and warn about those that don't.

    Args:
        sentences: Sentences to be learned or scored.
        vocabulary: Vocabulary of the training data.
        name: Name of the sentences in messages.

    Returns:
        The sentences, with a `B-` at the beginning of each span.

    Raises:
        UserError: If no tag is known, or the tags use another span scheme.
    """
    lines = [sentence.lines for sentence in sentences]
    try:
        scheme = scheme_of([s.tags for s in sentences], vocabulary.scheme, lines)
    except UserError as error:
        raise UserError(f"{name}, {error}") from None
    tags = {tag for sentence in sentences for tag in sentence.tags}
    if scheme != vocabulary.scheme and tags != {"O"}:
        kinds = [f"{kind} spans" if kind else "plain tags" for kind in (scheme, vocabulary.scheme)]
        raise UserError(
            f"{name}: has {kinds[0]}, but training has {kinds[1]}; use the same in both"
        )
    if scheme:
        bio = (from_iobes(to_iobes(s.tags, scheme), scheme) for s in sentences)
        sentences = [s._replace(tags=tags) for s, tags in zip(sentences, bio, strict=True)]
    locations: dict[str, str] = {}
    for number, sentence in enumerate(sentences, start=1):
        for index, tag in enumerate(sentence.tags):
            if tag not in locations:
                locations[tag] = location(number, index, lines)
    splits.check_labels(locations, vocabulary.answers, name, "tag", "is it the right column?")
    return sentences


def checksum(sentences: list[Sentence]) -> str:
    """Compute the SHA-256 of the words and all tags of sentences."""
    return splits.checksum([(s.words, s.tags, *s.auxiliary) for s in sentences])


def encode(sentences: list[Sentence], vocabulary: Vocabulary, inputs: list[str]) -> Ids:
    """Convert the words and tags of training sentences to ids."""
    lengths = np.array([len(sentence.words) for sentence in sentences], "int32")
    words = np.array([word for sentence in sentences for word in sentence.words], object)
    distinct, spellings = np.unique(words, return_inverse=True)
    features = Features(vocabulary, inputs)(tf.constant(["", *distinct], tf.string))
    targets = {"tags": vocabulary.tag_ids(sentences)}
    for column in range(len(vocabulary.auxiliary)):
        targets[f"auxiliary_{column}"] = vocabulary.auxiliary_ids(sentences, column)
    return Ids(
        inputs={name: ids.numpy() for name, ids in features.items()},
        targets={name: np.array(ids, "int32") for name, ids in targets.items()},
        spellings=(spellings + 1).astype("int32"),
        starts=(np.cumsum(lengths) - lengths).astype("int32"),
        lengths=lengths,
    )


def bucket_lengths(lengths: np.ndarray) -> np.ndarray:
    """Round lengths up to 8, 16, 24, 32, 48, 64, 96, ..., so that XLA compiles few shapes.

    Example:
        >>> bucket_lengths(np.array([1, 8, 9, 30, 33, 65, 10_000])).tolist()
        [8, 8, 16, 32, 48, 96, 12288]
    """
    power = 2 ** np.ceil(np.log2(np.maximum(lengths, 8))).astype("int32")
    rounded = np.where(lengths <= power * 3 // 4, power * 3 // 4, power)
    return -(-rounded // 8) * 8


def dataset(ids: Ids, plan: list[tuple[np.ndarray, int]], first_step: int = 0) -> tf.data.Dataset:
    """Gather the batches of a plan from a step on; see `Data` for the format."""
    inputs = {name: tf.constant(array) for name, array in ids.inputs.items()}
    targets = {name: tf.constant(array) for name, array in ids.targets.items()}
    spellings, starts = tf.constant(ids.spellings), tf.constant(ids.starts)
    lengths = tf.constant(ids.lengths)

    def gather(rows: tf.Tensor, width: tf.Tensor) -> tuple[dict, dict]:
        sentences = tf.maximum(rows, 0)
        length = tf.where(rows < 0, 0, tf.gather(lengths, sentences))
        mask = tf.sequence_mask(length, width)
        word = tf.gather(starts, sentences)[:, None] + tf.range(width)[None, :]
        word = tf.where(mask, word, 0)
        spelling = tf.where(mask, tf.gather(spellings, word), 0)
        return (
            {name: tf.gather(array, spelling) for name, array in inputs.items()},
            {n: tf.where(mask, tf.gather(t, word), NO_TAG) for n, t in targets.items()},
        )

    rows, widths = map(np.array, zip(*plan, strict=True))
    batches = tf.data.Dataset.from_tensor_slices((rows, widths.astype("int32")))
    batches = batches.skip(first_step)
    return batches.map(gather, num_parallel_calls=2, deterministic=True).prefetch(2)


def _with_neighbors(inputs: dict, targets: dict) -> tuple[dict, dict]:
    """Add the previous and the next word to the targets, with padding at the ends."""
    words, is_word = inputs["words"], targets["tags"] != NO_TAG
    padded = tf.pad(tf.where(words < NEIGHBORS, words, UNKNOWN), [[0, 0], [1, 1]])
    neighbors = {"previous_word": padded[:, :-2], "next_word": padded[:, 2:]}
    return inputs, targets | {n: tf.where(is_word, w, NO_TAG) for n, w in neighbors.items()}
