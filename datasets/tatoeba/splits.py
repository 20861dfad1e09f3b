"""Split pairs by their source sentences, so that neither side of a test pair is seen in train."""

import hashlib
import re
from collections.abc import Iterable
from typing import Literal

from datasets.formats.pairs import Pair

Split = Literal["train", "dev", "test"]

SHARE = 0.015  # of the source sentences, for dev; as many for test
SEED = "seqkit"


def split_pairs(pairs: Iterable[Pair]) -> dict[Split, list[Pair]]:
    """Split pairs into train, dev and test.

    Sentences are the same if their letters and digits are, capital or small. All pairs of a source
    sentence are in one split, which is drawn from a hash of it: it depends neither on the order nor
    on the other sentences. A target sentence may translate several sources: if one of them is in
    test, the pairs of the others are dropped from dev and train; if in dev, from train.

    Args:
        pairs: sources and targets.

    Returns:
        The pairs of each split, in their order.

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
    """Draw the split of a source sentence."""
    digest = hashlib.sha256((SEED + _key(source)).encode()).digest()
    drawn = int.from_bytes(digest[:8]) / 2**64
    return "test" if drawn < SHARE else "dev" if drawn < 2 * SHARE else "train"


def _key(sentence: str) -> str:
    return "".join(re.findall(r"\w", sentence.casefold()))
