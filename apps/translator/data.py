"""Training data: batches of pieces."""

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import ClassVar, Literal

import numpy as np
import tensorflow as tf

from apps.common import batching, splits
from apps.common.data import SplitData
from apps.common.errors import UserError
from apps.common.facts import counted, cut, percent
from apps.common.text import lower
from apps.translator import subwords
from apps.translator.config import Config
from apps.translator.scores import quick_score
from apps.translator.subwords import BOS, EOS, PAD, Subwords
from datasets.formats.lines import warn
from datasets.translation import Pair, filter_pairs, read_pair_file, read_pairs

STRIDE = 4  # batches are padded to a multiple of this: few shapes for XLA to compile
Ids = list[list[int]]

_IDS, _WEIGHTS = (tf.TensorSpec((None, None), dtype) for dtype in (tf.int32, tf.float32))
SPEC = {"source": _IDS, "target": _IDS}, _IDS, _WEIGHTS  # of a batch


class Data(SplitData):
    """Training and dev pairs, and subwords as the vocabulary; for batches, see `batch`."""

    mode: ClassVar[Literal["max"]] = "max"

    @property
    def monitor(self) -> str:
        return "exact" if self.config.dataset == "dates" and not self.config.train_file else "bleu"

    def plan(self, epoch: int, order: np.random.Generator | None) -> list:
        pieces = self._best_pieces if order is None else self._pieces(epoch)
        lengths = np.array([(len(t), len(s)) for s, t in zip(*pieces, strict=True)])
        return plan(lengths, self.config.batch_size, order)

    def gather(self, plan: list, epoch: int, first_step: int) -> tf.data.Dataset:
        source, target = self._pieces(epoch)

        def generate() -> Iterator[tuple]:
            for rows in plan[first_step:]:
                yield batch([source[i] for i in rows], [target[i] for i in rows])

        return tf.data.Dataset.from_generator(generate, output_signature=SPEC).prefetch(2)

    def facts(self) -> tuple[list[str], list[str]]:
        known = set().union(*map(set, chain.from_iterable(self.train)))
        characters = "".join(chain.from_iterable(self.dev))
        unknown = percent(sum(character not in known for character in characters), len(characters))
        learned = set(self.train)
        repeated = sum(pair in learned for pair in self.dev)
        source, target = (cut(side, 40) for side in self.train[0])
        pieces = "{:,} and {:,} pieces".format(*self.vocabulary.sizes)
        return (
            [*_sizes(self.train), pieces, f"begins {source!r} -> {target!r}"],
            [
                *_sizes(self.dev),
                f"{unknown} of the characters not in training",
                f"{counted(repeated, 'pair')} also in training",
            ],
        )

    def baseline(self) -> tuple[str, float]:
        source, target = map(list, zip(*self.dev, strict=True))
        return "copying the source", quick_score(source, target)[self.monitor]

    def _pieces(self, epoch: int) -> tuple[Ids, Ids]:
        """Return the pieces of both sides of the training pairs, as split in an epoch."""
        if not self.config.subword_regularization:
            return self._best_pieces
        random = np.random.default_rng((self.config.seed, epoch))
        models = self.vocabulary.source, self.vocabulary.target
        alpha = self.config.subword_regularization
        return tuple(
            subwords.sample(model, side, alpha, random)
            for model, side in zip(models, zip(*self.train, strict=True), strict=True)
        )

    @cached_property
    def _best_pieces(self) -> tuple[Ids, Ids]:
        return encode_pairs(self.vocabulary, self.train)


def _sizes(pairs: list[Pair]) -> list[str]:
    """Count pairs and characters."""
    source, target = (sum(map(len, side)) / len(pairs) for side in zip(*pairs, strict=True))
    return [counted(len(pairs), "pair"), f"{source:.0f} and {target:.0f} characters on average"]


def load(config: Config) -> Data:
    """Read the training and dev pairs, and learn pieces from the training pairs.

    Raises:
        DataError: If a file is missing or malformed.
        UserError: If the vocabulary is larger or smaller than the training pairs allow, or no
            training pair is left.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    _warn_of_swapped_sides(config, train, dev)
    if config.test_file:  # before hours of training, not after
        read_split(config, "test")
    size, kind = config.vocabulary_size, config.subwords
    if config.joint:
        models = [subwords.learn((side for pair in train for side in pair), size, kind)] * 2
    else:
        models = [subwords.learn(side, size, kind) for side in zip(*train, strict=True)]
    learned = Subwords(*models)
    return Data(config, _keep_similar_lengths(config, train, learned), dev, learned)


def read_split(config: Config, split: str) -> list[Pair]:
    """Read the pairs of a split; raises the errors of `splits.read_split`."""

    def read_dataset(split: str) -> list[Pair]:
        return read_pairs(config.dataset, split, config.source, config.target)

    return normalize(config, splits.read_split(config, split, read_pair_file, read_dataset))


def _warn_of_swapped_sides(config: Config, train: list[Pair], dev: list[Pair]) -> None:
    """Warn if the words of each dev side are rather those of the other side in training."""
    learned, given = (
        [set(" ".join(side).split()) for side in zip(*pairs, strict=True)] for pairs in (train, dev)
    )
    if all(
        len(words & same) < len(words & other)
        for words, same, other in zip(given, learned, learned[::-1], strict=True)
    ):
        name = config.dev_file or "dev"
        warn(f"{name}: source and target look swapped: their words are those of the other side")


def normalize(config: Config, pairs: list[Pair]) -> list[Pair]:
    """Convert pairs to lower case if the configuration requires it."""
    if not config.lowercase:
        return pairs
    sides = (lower(tf.constant(side)).numpy() for side in zip(*pairs, strict=True))
    return [Pair(s.decode(), t.decode()) for s, t in zip(*sides, strict=True)]


def plan(
    lengths: np.ndarray, batch_size: int, order: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Batch pairs of similar lengths.

    Args:
        lengths: Lengths of the sides in pieces, (pairs, sides); the first side is the main
            sort key.
        batch_size: Pairs per batch; the last batch may have fewer.
        order: Generator that shuffles pairs of similar lengths, then the batches; None: no
            shuffling.

    Returns:
        Rows of the pairs of each batch.

    Example:
        >>> [rows.tolist() for rows in plan(np.array([[9, 9], [1, 2], [8, 1], [2, 1]]), 2)]
        [[1, 3], [2, 0]]
    """
    pairs = np.arange(len(lengths)) if order is None else order.permutation(len(lengths))
    keys = -(-lengths[pairs] // STRIDE)
    pairs = pairs[np.lexsort(keys.T[::-1])]
    rows = [pairs[start : start + batch_size] for start in range(0, len(pairs), batch_size)]
    return rows if order is None else [rows[i] for i in order.permutation(len(rows))]


def batch(source: Sequence[Sequence[int]], target: Sequence[Sequence[int]]) -> tuple:
    """Make a batch of pieces.

    Args:
        source: Pieces of each source.
        target: Pieces of each target, without BOS and EOS.

    Returns:
        (inputs, targets, weights). The inputs are `source` (batch, source length) and `target`
        (batch, length), which begins with BOS; targets (batch, length) are the same pieces one step
        earlier and end with EOS. Weights (batch, length) are 1, or 0 at padding.

    Example:
        >>> inputs, targets, weights = batch([[5, 6, 7]], [[8, 9]])
        >>> inputs["source"].tolist(), inputs["target"].tolist(), targets.tolist()
        ([[5, 6, 7, 0]], [[2, 8, 9, 0, 0]], [[8, 9, 3, 0, 0]])
    """
    pieces = pad(target)
    bos, padding = (np.full((len(pieces), 1), i, "int32") for i in (BOS, PAD))
    targets = np.concatenate([pieces, padding], axis=1)
    targets[np.arange(len(target)), [len(row) for row in target]] = EOS
    return (
        {"source": pad(source), "target": np.concatenate([bos, pieces], axis=1)},
        targets,
        (targets != PAD).astype("float32"),
    )


def pad(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Pad pieces to a common length, a multiple of STRIDE."""
    return batching.pad(rows, PAD, -(-max(1, *map(len, rows)) // STRIDE) * STRIDE)


def encode_pairs(models: Subwords, pairs: Sequence[Pair]) -> tuple[Ids, Ids]:
    """Split both sides of pairs into pieces."""
    source, target = zip(*pairs, strict=True)
    return subwords.encode(models.source, source), subwords.encode(models.target, target)


def _keep_similar_lengths(config: Config, pairs: list[Pair], models: Subwords) -> list[Pair]:
    """Drop training pairs with too many pieces, or with too different numbers of them."""
    lengths = {
        side: len(ids)
        for sides, rows in zip(zip(*pairs, strict=True), encode_pairs(models, pairs), strict=True)
        for side, ids in zip(sides, rows, strict=True)
    }
    kept, dropped = filter_pairs(
        pairs, config.max_length, config.max_ratio, length=lengths.__getitem__
    )
    if any(dropped.values()):
        reasons = ", ".join(f"{n:,} for {reason}" for reason, n in dropped.items() if n)
        print(
            f"training pairs: {len(kept):,} of {len(pairs):,}; dropped {reasons} (in pieces)",
            file=sys.stderr,
        )
    if not kept:
        raise UserError("no training pairs are left; raise max_length or max_ratio")
    return kept
