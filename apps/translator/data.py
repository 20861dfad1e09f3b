"""From pairs of sentences to batches of pieces."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import tensorflow as tf

from apps.common.app import History
from apps.common.errors import UserError
from apps.translator import subwords
from apps.translator.config import Config
from apps.translator.subwords import BOS, EOS, PAD, Subwords
from datasets.translation import Pair, filter_pairs, read_pair_file, read_pairs

SPLITS = ("train", "dev", "test")
STRIDE = 4  # pieces of a batch are a multiple of this: few lengths, so that XLA compiles few

_IDS, _WEIGHTS = (tf.TensorSpec((None, None), dtype) for dtype in (tf.int32, tf.float32))
SPEC = {"source": _IDS, "target": _IDS}, _IDS, _WEIGHTS  # of a batch


@dataclass(frozen=True)
class Data:
    """Training and dev pairs, and the batches made of them."""

    config: Config
    train: list[Pair]
    dev: list[Pair]
    subwords: Subwords

    mode: ClassVar[Literal["max"]] = "max"

    @property
    def monitor(self) -> str:
        """The score that chooses the best epoch."""
        return "exact" if self.config.dataset == "dates" and not self.config.train_file else "bleu"

    @property
    def checksum(self) -> str:
        """SHA-256 of the training and dev pairs."""
        return checksum(self.train + self.dev)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of an epoch."""
        return -(-len(self.train) // self.config.batch_size)

    def batches(self, epoch: int, first_step: int = 0, history: History = ()) -> tf.data.Dataset:
        """Make the training batches of an epoch, a function of the seed and the epoch alone.

        Args:
            epoch: number of the epoch.
            first_step: batches to leave out, at no cost.
            history: ignored.

        Returns:
            Batches (inputs, targets, weights). The inputs are `source` (batch, source length) and
            `target` (batch, length), which begins with BOS; the targets (batch, length) are those
            pieces one step earlier, ending with EOS. The weights (batch, length) are 1 where there
            is a target, 0 where there is PAD.
        """
        source, target = self._pieces(epoch)
        lengths = np.array([(len(t), len(s)) for s, t in zip(source, target, strict=True)])
        rows = plan(
            lengths, self.config.batch_size, np.random.default_rng((self.config.seed, epoch))
        )

        def batches() -> object:
            for row in rows[first_step:]:
                yield batch([source[i] for i in row], [target[i] for i in row])

        return tf.data.Dataset.from_generator(batches, output_signature=SPEC).prefetch(2)

    def save(self, run: Path) -> None:
        """Write into a run folder what an export needs besides the weights."""
        self.subwords.save(run)

    def _pieces(self, epoch: int) -> tuple[list[list[int]], list[list[int]]]:
        """The pieces of both sides of the training pairs, as they are divided in an epoch."""
        if not self.config.subword_regularization:
            return self._best_pieces
        random = np.random.default_rng((self.config.seed, epoch))
        models = self.subwords.source, self.subwords.target
        alpha = self.config.subword_regularization
        return tuple(
            subwords.sample(model, side, alpha, random)
            for model, side in zip(models, zip(*self.train, strict=True), strict=True)
        )

    @cached_property
    def _best_pieces(self) -> tuple[list[list[int]], list[list[int]]]:
        return _encode(self.subwords, self.train)


def load(config: Config) -> Data:
    """Read what training needs, and learn the pieces of the training pairs.

    Raises:
        DataError: a file is missing or malformed.
        UserError: the vocabulary is larger or smaller than the training pairs allow.
    """
    train, dev = read_split(config, "train"), read_split(config, "dev")
    size, kind = config.vocabulary_size, config.subwords
    if config.joint:
        models = [subwords.learn((side for pair in train for side in pair), size, kind)] * 2
    else:
        models = [subwords.learn(side, size, kind) for side in zip(*train, strict=True)]
    learned = Subwords(*models)
    pieces = _encode(learned, train)
    lengths = {
        side: len(ids)
        for sides, rows in zip(zip(*train, strict=True), pieces, strict=True)
        for side, ids in zip(sides, rows, strict=True)
    }
    kept, dropped = filter_pairs(
        train, config.max_length, config.max_ratio, length=lengths.__getitem__
    )
    if any(dropped.values()):
        reasons = ", ".join(f"{n:,} for {reason}" for reason, n in dropped.items() if n)
        print(
            f"training pairs: {len(kept):,} of {len(train):,}; left out {reasons}, in pieces",
            file=sys.stderr,
        )
    if not kept:
        raise UserError("no training pair is left: raise max_length or max_ratio")
    return Data(config, kept, dev, learned)


def read_split(config: Config, split: str) -> list[Pair]:
    """Read the pairs of a split.

    Args:
        config: says where the pairs come from.
        split: `train`, `dev` or `test`.

    Raises:
        UserError: there is no such split.
        DataError: a file is missing or malformed.
    """
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
    if config.train_file:
        path = getattr(config, f"{split}_file")
        if path is None:
            raise UserError(f"the model was trained without a {split}_file; give --test_file FILE")
        return prepare(config, read_pair_file(path))
    return prepare(config, read_pairs(config.dataset, split, config.source, config.target))


def prepare(config: Config, pairs: list[Pair]) -> list[Pair]:
    """Write pairs as the model sees them."""
    if not config.lowercase:
        return pairs
    sides = (lower(tf.constant(side)).numpy() for side in zip(*pairs, strict=True))
    return [Pair(s.decode(), t.decode()) for s, t in zip(*sides, strict=True)]


def lower(text: tf.Tensor) -> tf.Tensor:
    """Write text in lower case, as an export does."""
    return tf.strings.lower(text, encoding="utf-8")


def plan(
    lengths: np.ndarray, batch_size: int, order: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Put pairs of like lengths together.

    Args:
        lengths: (pairs, sides) in pieces.
        batch_size: pairs of a batch; the last batch may have fewer.
        order: shuffles the pairs of like length, and then the batches.

    Returns:
        The pairs of each batch.
    """
    pairs = np.arange(len(lengths)) if order is None else order.permutation(len(lengths))
    keys = -(-lengths[pairs] // STRIDE)
    pairs = pairs[np.lexsort(keys.T[::-1])]
    rows = [pairs[start : start + batch_size] for start in range(0, len(pairs), batch_size)]
    return rows if order is None else [rows[i] for i in order.permutation(len(rows))]


def batch(source: Sequence[Sequence[int]], target: Sequence[Sequence[int]]) -> tuple:
    """Put pairs side by side; see `Data.batches` for the form.

    Example:
        >>> inputs, targets, weights = batch([[5, 6, 7]], [[8, 9]])
        >>> inputs["source"].tolist(), inputs["target"].tolist(), targets.tolist()
        ([[5, 6, 7, 0]], [[2, 8, 9, 0, 0]], [[8, 9, 3, 0, 0]])
    """
    pieces = pad(target)
    begin, end = (np.full((len(pieces), 1), i, "int32") for i in (BOS, PAD))
    targets = np.concatenate([pieces, end], axis=1)
    targets[np.arange(len(target)), [len(row) for row in target]] = EOS
    return (
        {"source": pad(source), "target": np.concatenate([begin, pieces], axis=1)},
        targets,
        (targets != PAD).astype("float32"),
    )


def pad(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Make a rectangle of pieces, filled up with PAD."""
    width = -(-max(1, *map(len, rows)) // STRIDE) * STRIDE
    return np.array([[*row, *[PAD] * (width - len(row))] for row in rows], "int32")


def checksum(pairs: list[Pair]) -> str:
    """Compute the SHA-256 of pairs."""
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def _encode(models: Subwords, pairs: list[Pair]) -> tuple[list[list[int]], list[list[int]]]:
    source, target = zip(*pairs, strict=True)
    return subwords.encode(models.source, source), subwords.encode(models.target, target)
