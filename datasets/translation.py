"""Registry of the translation data sets: their readers and the sides they translate between."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, get_args

from datasets.dates.reading import read_dates
from datasets.formats.lines import DataError
from datasets.formats.pairs import Pair, filter_pairs, read_pair_file
from datasets.king_james.pairs import read_bible_pairs
from datasets.multi30k.reading import read_multi30k
from datasets.splits import Split
from datasets.tatoeba.reading import read_tatoeba

__all__ = ["Pair", "direction", "filter_pairs", "read_pair_file", "read_pairs"]


class DataSet(NamedTuple):
    """The reader of a data set, and its sides."""

    read: Callable[[Split], Sequence[tuple[str, ...]]]  # tuples with one text per side
    sides: tuple[str, ...]  # by default the first is the source and the second the target


DATA_SETS = {
    "dates": DataSet(read_dates, ("written", "iso")),
    "king_james": DataSet(read_bible_pairs, ("king_james", "modern")),
    "multi30k": DataSet(read_multi30k, ("en", "de", "fr")),
    "multi30k_tok": DataSet(partial(read_multi30k, config="task1_tok"), ("en", "de", "fr")),
    "tatoeba": DataSet(read_tatoeba, ("en", "de")),
}


def read_pairs(
    name: str, split: Split, source: str | None = None, target: str | None = None
) -> list[Pair]:
    """Read a split of a translation data set.

    Args:
        name: `dates`: dates as people write them, and in ISO 8601. `king_james`: the King James
            Bible and modern English. `multi30k`: image descriptions as written; `multi30k_tok`:
            the same lower-cased and tokenized by Moses. `tatoeba`: short everyday sentences, some
            with several translations.
        split: `train`, `dev` or `test`.
        source: Side to translate from, one of the data set's `sides`, e.g. `en`. None: the first
            side that is not the target.
        target: Side to translate to. None: the first side that is not the source.

    Returns:
        The pairs, in the order of the data set.

    Raises:
        DataError: If the data set, split or side doesn't exist, a package is missing, or the files
            cannot be downloaded or differ from the published ones.

    Example:
        >>> read_pairs("king_james", "train", source="modern")[0].target
        'In the beginning God created the heaven and the earth.'
    """
    if name not in DATA_SETS or split not in get_args(Split):
        raise DataError(
            f"no data set {name!r} with a split {split!r}; choose one of "
            f"{', '.join(DATA_SETS)} with {', '.join(get_args(Split))}"
        )
    read, sides = DATA_SETS[name]
    first, second = map(sides.index, direction(name, source, target))
    return [Pair(row[first], row[second]) for row in read(split)]


def direction(name: str, source: str | None = None, target: str | None = None) -> tuple[str, str]:
    """Fill in the missing side of a translation direction.

    Args:
        name: Name of the data set, as for `read_pairs`.
        source: Side to translate from, or None.
        target: Side to translate to, or None.

    Returns:
        Source and target.

    Raises:
        DataError: If the data set has no such sides, or both are the same.

    Example:
        >>> direction("multi30k", target="en"), direction("multi30k", source="fr")
        (('de', 'en'), ('fr', 'en'))
    """
    sides = DATA_SETS[name].sides
    source = source or next(side for side in sides if side != target)
    target = target or next(side for side in sides if side != source)
    if not {source, target} <= set(sides) or source == target:
        raise DataError(
            f"{name} does not translate {source!r} to {target!r}; choose two of {', '.join(sides)}"
        )
    return source, target
