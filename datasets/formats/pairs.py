"""Sentences and their translations, from one tab-separated file or two parallel files."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def read_pair_file(path: Path | str) -> list[Pair]:
    """Read a tab-separated file: source, tab, target.

    Further columns, blank lines and white space around a side are ignored.

    Args:
        path: Path of the file, UTF-8; or two paths with a comma between them,
            `train.en,train.de`, for `read_parallel_files`.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If the file is missing, empty or not UTF-8, or a line has no tab or an
            empty side.
    """
    source, comma, target = str(path).partition(",")
    if comma and not Path(path).exists():
        return read_parallel_files(source, target)
    return parse_pairs(read_lines(path), str(path))


def parse_pairs(lines: Iterable[str], name: str) -> list[Pair]:
    r"""Read pairs from the lines of a tab-separated text, as `read_pair_file` does.

    Args:
        lines: Lines of the text.
        name: Name of the text in error messages.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If there are no pairs, or a line has no tab or an empty side.

    Example:
        >>> parse_pairs(["Go.\tGeh.\tCC BY"], "example")
        [Pair(source='Go.', target='Geh.')]
    """
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        source, tab, rest = line.partition("\t")
        if not tab:
            raise DataError(
                f"{name}, line {number}: no tab; expected the source, a tab and the target"
            )
        pair = Pair(source.strip(), rest.partition("\t")[0].strip())
        if not all(pair):
            side = "target" if pair.source else "source"
            raise DataError(f"{name}, line {number}: the {side} is empty; fill it or drop the line")
        pairs.append(pair)
    if not pairs:
        raise DataError(f"{name}: contains no pairs; expected source, tab and target on each line")
    return pairs


def read_parallel_files(source_path: Path | str, target_path: Path | str) -> list[Pair]:
    """Read two parallel files: lines with the same number are translations of each other.

    Lines that are blank in both are ignored, as is white space around a line.

    Args:
        source_path: Path of the sources, UTF-8.
        target_path: Path of their translations, UTF-8.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If a file is missing, empty or not UTF-8, the files differ in their number of
            lines, or a line is blank in only one of them.
    """
    paths = (source_path, target_path)
    sources, targets = ([line.strip() for line in read_lines(path)] for path in paths)
    if len(sources) != len(targets):
        raise DataError(
            f"{source_path} has {len(sources):,} lines, {target_path} has {len(targets):,}; "
            "each line needs its translation in the line with the same number"
        )
    pairs = []
    for number, pair in enumerate(map(Pair, sources, targets), start=1):
        if all(pair):
            pairs.append(pair)
        elif any(pair):
            empty = target_path if pair.source else source_path
            raise DataError(
                f"{empty}, line {number}: blank, but not in the other file; drop both lines"
            )
    if not pairs:
        raise DataError(f"{source_path}: contains no sentences; expected one on each line")
    return pairs


def filter_pairs(
    pairs: Iterable[Pair], max_length: int, max_ratio: float, length: Callable[[str], int] = len
) -> tuple[list[Pair], dict[str, int]]:
    """Drop pairs with a side that is too long, or with sides whose lengths differ too much.

    Args:
        pairs: Sources and targets.
        max_length: Maximum length of a side.
        max_ratio: Maximum ratio of the longer side's length to that of the shorter one.
        length: Function that returns the length of a side; by default its number of characters.

    Returns:
        The remaining pairs, in order, and the number of dropped pairs by the first reason that
        applies: `empty` (a side of length zero), `length` or `ratio`.

    Example:
        >>> filter_pairs([Pair("one", "eins"), Pair("no", "niemals")], max_length=20, max_ratio=3)
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
