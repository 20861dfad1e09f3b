"""Splits by source sentence, such that neither side of a test pair occurs in train."""

import hashlib
import re
from collections.abc import Iterable

from datasets.formats.pairs import Pair
from datasets.splits import Split

SHARE = 0.015  # share of the source sentences in dev; the same share is in test
SEED = "seqkit"


def split_pairs(pairs: Iterable[Pair]) -> dict[Split, list[Pair]]:
    """Split pairs into train, dev and test.

    Sentences are the same if they have the same letters and digits, ignoring case. All pairs of a
    source sentence are in the same split, determined by a hash of the sentence, so that it depends
    neither on the order nor on other sentences. A target sentence may translate several sources:
    its pairs are kept in one split only, in test rather than dev, and in dev rather than train.

    Args:
        pairs: Sources and targets.

    Returns:
        The pairs of each split, in the given order.

    Example:
        >>> splits = split_pairs([Pair("Go!", "Geh!"), Pair("go", "Los!")])
        >>> [len(pairs) for pairs in splits.values()]
        [2, 0, 0]
    """
    splits = {"train": [], "dev": [], "test": []}
    for pair in pairs:
        splits[split_of(pair.source)].append(pair)
    held_out = set()
    for split in ("test", "dev", "train"):
        splits[split] = [pair for pair in splits[split] if _key(pair.target) not in held_out]
        held_out |= {_key(pair.target) for pair in splits[split]}
    return splits


def split_of(source: str) -> Split:
    """Return the split of a source sentence."""
    digest = hashlib.sha256((SEED + _key(source)).encode()).digest()
    uniform = int.from_bytes(digest[:8]) / 2**64
    return "test" if uniform < SHARE else "dev" if uniform < 2 * SHARE else "train"


def _key(sentence: str) -> str:
    return "".join(re.findall(r"\w", sentence.casefold()))
