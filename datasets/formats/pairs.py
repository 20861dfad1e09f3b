"""Sentences and their translations, from files: tab-separated, or two that go line by line."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def read_pair_file(path: Path | str) -> list[Pair]:
    """Read a tab-separated file: source, tab, target; further columns are ignored.

    So are blank lines, and white space around a side.

    Args:
        path: the file, UTF-8; or two with a comma between them, `train.en,train.de`, that
            `read_parallel_files` reads.

    Returns:
        The pairs, in order; no side is empty.

    Raises:
        DataError: the file is missing, empty or not UTF-8; or a line has no tab or an empty side.
    """
    source, comma, target = str(path).partition(",")
    if comma and not Path(path).exists():
        return read_parallel_files(source, target)
    return parse_pairs(read_lines(path), str(path))


def parse_pairs(lines: Iterable[str], name: str) -> list[Pair]:
    r"""Read pairs from the lines of a tab-separated text, as `read_pair_file` does.

    Args:
        lines: of the text.
        name: what an error calls it.

    Returns:
        The pairs, in order; no side is empty.

    Raises:
        DataError: there is no pair; or a line has no tab or an empty side.

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
        raise DataError(f"{name}: holds no pair; expected source, tab and target on each line")
    return pairs


def read_parallel_files(source_path: Path | str, target_path: Path | str) -> list[Pair]:
    """Read two files whose lines of one number translate each other.

    Lines that are blank in both are ignored, as is white space around a line.

    Args:
        source_path: the file of the sources, UTF-8.
        target_path: the file of their translations, UTF-8.

    Returns:
        The pairs, in order; no side is empty.

    Raises:
        DataError: a file is missing, empty or not UTF-8; the files have unequal numbers of lines;
            or a line is blank in one of them only.
    """
    paths = (source_path, target_path)
    sources, targets = ([line.strip() for line in read_lines(path)] for path in paths)
    if len(sources) != len(targets):
        raise DataError(
            f"{source_path} has {len(sources):,} lines, {target_path} has {len(targets):,}; "
            "each line needs its translation in the line of the same number"
        )
    pairs = []
    for number, pair in enumerate(map(Pair, sources, targets), start=1):
        if all(pair):
            pairs.append(pair)
        elif any(pair):
            empty = target_path if pair.source else source_path
            raise DataError(
                f"{empty}, line {number}: blank, though the other file's is not; drop both lines"
            )
    if not pairs:
        raise DataError(f"{source_path}: holds no sentence; expected one on each line")
    return pairs
