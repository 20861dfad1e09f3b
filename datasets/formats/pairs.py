"""Sentences and their translations, from one tab-separated file or two parallel files."""

import re
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines, shorten, warn
from datasets.formats.recognition import check_first_line, is_header

ENOUGH = 10  # pairs from which shares are warned of
_ESCAPE = re.compile(r"&(amp|apos|gt|lt|quot|#\d+);")
_TWICE_ENCODED = re.compile("Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]|â\u20ac")
_PIECE = re.compile(r"@@ |@@$|\u2581")


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def read_pair_file(path: Path | str) -> list[Pair]:
    """Read a tab-separated file: source, tab, target.

    Further columns, such as Tatoeba's attribution, blank lines, and white space around a side are
    ignored. JSON and XML are refused, and so are lines without a tab or with an empty side, and
    numbered sentences. There is a warning of lines with further columns where others have none, of
    a header, and if many pairs have equal sides, quotes as in CSV, escapes such as `&apos;`,
    characters that were encoded twice or lost, or are already split into pieces (`@@`): the model
    would reproduce them.

    Args:
        path: Path of the file, UTF-8; or two paths with a comma between them,
            `train.en,train.de`, for `read_parallel_files`.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If the file is missing, empty, not UTF-8 or refused.
    """
    source, comma, target = str(path).partition(",")
    if comma and not Path(path).exists():
        return read_parallel_files(source.strip(), target.strip())
    pairs = parse_pairs(read_lines(path), str(path))
    _warn_of_doubts(str(path), pairs)
    return pairs


def parse_pairs(lines: Iterable[str], name: str) -> list[Pair]:
    r"""Read pairs from the lines of a tab-separated text, as `read_pair_file` does.

    Args:
        lines: Lines of the text.
        name: Name of the text in error messages.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If there are no pairs, or a line is refused.

    Example:
        >>> parse_pairs(["Go.\tGeh.\tCC BY"], "example")
        [Pair(source='Go.', target='Geh.')]
    """
    pairs, empty, widths = [], [], {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if not widths:
            check_first_line(name, number, line)
        source, *columns = line.split("\t")
        if not columns:
            raise DataError(
                f"{name}, line {number}: no tab; expected the source, a tab and the target (or two "
                "files with a comma between their names)"
            )
        widths.setdefault(len(columns) + 1, number)
        pair = Pair(source.strip(), columns[0].strip())
        pairs.append(pair)
        if not all(pair):
            empty.append((number, "target" if pair.source else "source"))
    if empty:
        number, side = empty[0]
        raise DataError(
            f"{name}, line {number}: the {side} is empty; fill it or drop the line"
            + _and_more(empty)
        )
    if not pairs:
        raise DataError(f"{name}: contains no pairs; expected source, tab and target on each line")
    _check_columns(name, pairs, widths)
    return pairs


def read_parallel_files(source_path: Path | str, target_path: Path | str) -> list[Pair]:
    """Read two parallel files: lines with the same number are translations of each other.

    Lines that are blank in both are ignored, as is white space around a line. Warnings as in
    `read_pair_file`.

    Args:
        source_path: Path of the sources, UTF-8.
        target_path: Path of their translations, UTF-8.

    Returns:
        The pairs, in order; neither side is empty.

    Raises:
        DataError: If a file is missing, empty, not UTF-8, or JSON or XML, the files differ in their
            number of lines, or a line is blank in only one of them.
    """
    paths = (source_path, target_path)
    sources, targets = ([line.strip() for line in read_lines(path)] for path in paths)
    for path, lines in zip(paths, (sources, targets), strict=True):
        check_first_line(path, 1, lines[0] if lines else "")
        while lines and not lines[-1] and len(sources) != len(targets):
            lines.pop()
    if len(sources) != len(targets):
        raise DataError(
            f"{source_path} has {len(sources):,} lines, {target_path} has {len(targets):,}; "
            "each line needs its translation in the line with the same number"
        )
    pairs = list(map(Pair, sources, targets))
    blank = [number for number, pair in enumerate(pairs, start=1) if any(pair) and not all(pair)]
    if blank:
        empty = target_path if sources[blank[0] - 1] else source_path
        raise DataError(
            f"{empty}, line {blank[0]}: blank, but not in the other file; drop both lines"
            + _and_more(blank)
        )
    pairs = [pair for pair in pairs if all(pair)]
    if not pairs:
        raise DataError(f"{source_path}: contains no sentences; expected one on each line")
    _warn_of_doubts(f"{source_path},{target_path}", pairs)
    return pairs


def _and_more(found: list) -> str:
    """Count the further lines with the same problem."""
    return f" (and {len(found) - 1:,} more)" if found[1:] else ""


def _check_columns(name: str, pairs: list[Pair], widths: dict[int, int]) -> None:
    """Refuse numbered sentences; warn of lines with further columns where others have none.

    Args:
        name: Name of the text.
        pairs: What was read.
        widths: Each number of columns, with the first line that has it.
    """
    if min(widths) > 2 and all(source.isdecimal() for source, _ in pairs):
        raise DataError(
            f"{name}: the first of {min(widths)} columns has only numbers; keep the sentences, "
            "e.g. with cut -f 2,4 if they are in columns 2 and 4"
        )
    if len(widths) > 1 and 2 in widths:
        more = max(widths)
        warn(
            f"{name}, line {widths[more]}: {more} columns, but line {widths[2]} has two; further "
            "columns are ignored"
        )


def _warn_of_doubts(name: str, pairs: list[Pair]) -> None:
    """Warn if the pairs don't look like text and its translation."""
    if is_header(pairs[0]):
        warn(f"{name}: the first pair, {tuple(pairs[0])}, looks like a header; delete it")
    if len(pairs) < ENOUGH:
        return
    sides = list(chain.from_iterable(pairs))
    equal = sum(source == target for source, target in pairs) / len(pairs)
    if equal > 0.5:
        warn(f"{name}: {equal:.0%} of the pairs have equal sides; are these the right columns?")
    doubts = (
        (0.5, r'^".*"$', "quotes around them", "remove them"),
        (0.01, _ESCAPE, "escapes", "decode them, e.g. with html.unescape of Python"),
        (0.01, _TWICE_ENCODED, "characters encoded twice", "repair them, e.g. with ftfy"),
        (0.001, "\ufffd", "replacement characters", "get the text in its original encoding"),
        (0.01, _PIECE, "marks of pieces", "join them; the translator learns pieces itself"),
    )
    for least, pattern, kind, remedy in doubts:
        found = [side for side in sides if re.search(pattern, side)]
        share = len(found) / len(sides)
        if share > least:
            warn(
                f"{name}: {share:.0%} of the sides have {kind}, such as {shorten(found[0])}; "
                f"{remedy}"
            )


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
