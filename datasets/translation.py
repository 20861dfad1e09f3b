"""Sentences and their translations: the one door to all data sets of pairs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

from datasets.dates.reading import date_pairs
from datasets.formats.lines import DataError
from datasets.formats.pairs import Pair, read_pair_file, read_parallel_files
from datasets.king_james.pairs import bible_pairs
from datasets.multi30k.reading import read_multi30k
from datasets.tatoeba.reading import read_tatoeba

__all__ = ["Pair", "filter_pairs", "read_pair_file", "read_pairs", "read_parallel_files"]

Split = Literal["train", "dev", "test"]

# Of each data set; the first is the source and the second the target, if nothing else is said.
SIDES = {
    "dates": ("written", "iso"),
    "king_james": ("king_james", "modern"),
    "multi30k": ("en", "de", "fr"),
    "multi30k_tok": ("en", "de", "fr"),
    "tatoeba": ("en", "de"),
}
MULTI30K = {"multi30k": "task1_raw", "multi30k_tok": "task1_tok"}
DATES = {"train": (50_000, 1), "dev": (2_000, 2), "test": (2_000, 3)}  # how many, and a seed


def read_pairs(
    name: str, split: Split, source: str | None = None, target: str | None = None
) -> list[Pair]:
    """Read a split of a data set.

    Args:
        name: `dates`: 50,000 for train, 2,000 each for dev and test, as `datasets.dates.reading` draws
            them. `king_james`: King James Bible and modern English. `multi30k`: descriptions of
            photographs, as written; `multi30k_tok`: lower-cased, tokenised by Moses. `tatoeba`:
            short sentences of all kinds, with several translations each.
        split: `train`, `dev` or `test`.
        source: side to translate from, as `SIDES` names them, e.g. `en`; None: the first that is
            not the target.
        target: side to translate to; None: the first that is not the source.

    Returns:
        The pairs, in the data set's order.

    Raises:
        DataError: no such data set, split or side; a package is missing; or files can't be
            downloaded, or are others than those published.

    Example:
        >>> read_pairs("king_james", "train", source="modern")[0].target
        'In the beginning God created the heaven and the earth.'
    """
    if name not in SIDES or split not in get_args(Split):
        raise DataError(
            f"no pairs {name!r} with a split {split!r}; there are {', '.join(SIDES)} with "
            f"{', '.join(get_args(Split))}"
        )
    source, target = direction(name, source, target)
    columns = _columns(name, split)
    return list(map(Pair, columns[source], columns[target]))


def direction(name: str, source: str | None = None, target: str | None = None) -> tuple[str, str]:
    """From which side of a data set to which is translated, where not both are said.

    Args:
        name, source, target: as for `read_pairs`.

    Raises:
        DataError: no such sides.

    Example:
        >>> direction("multi30k", target="en"), direction("multi30k", source="fr")
        (('de', 'en'), ('fr', 'en'))
    """
    sides = SIDES[name]
    source = source or next(side for side in sides if side != target)
    target = target or next(side for side in sides if side != source)
    if not {source, target} <= set(sides) or source == target:
        raise DataError(
            f"{name} does not translate {source!r} to {target!r}; choose two of {', '.join(sides)}"
        )
    return source, target


def filter_pairs(
    pairs: Iterable[Pair],
    max_length: int,
    max_ratio: float,
    length: Callable[[str], int] = len,
) -> tuple[list[Pair], dict[str, int]]:
    """Keep the pairs whose sides are neither too long nor of too different lengths.

    Args:
        pairs: sources and targets.
        max_length: of either side.
        max_ratio: of the longer side's length to the shorter one's.
        length: of a side; characters, if nothing else is given.

    Returns:
        The pairs kept, in order; and how many were dropped, by the first reason that applies:
        `empty` (a side of length zero), `length` or `ratio`.

    Example:
        >>> filter_pairs([Pair("one", "eins"), Pair("no", "keinesfalls")], max_length=20, max_ratio=3)
        ([Pair(source='one', target='eins')], {'empty': 0, 'length': 0, 'ratio': 1})
    """
    kept, dropped = [], {"empty": 0, "length": 0, "ratio": 0}
    for pair in pairs:
        shorter, longer = sorted(map(length, pair))
        if not shorter:
            dropped["empty"] += 1
        elif longer > max_length:
            dropped["length"] += 1
        elif longer > max_ratio * shorter:
            dropped["ratio"] += 1
        else:
            kept.append(pair)
    return kept, dropped


def _columns(name: str, split: Split) -> dict[str, Sequence[str]]:
    """The sentences of each side of a data set, which translate each other."""
    if name == "tatoeba":
        return read_tatoeba(split)
    if name in MULTI30K:
        return read_multi30k(split, MULTI30K[name])
    pairs = date_pairs(split, *DATES[split]) if name == "dates" else bible_pairs(split)
    return dict(zip(SIDES[name], zip(*pairs, strict=True), strict=True))
