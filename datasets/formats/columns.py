"""Sentences in CoNLL columns: one word per line, followed by its tags."""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from datasets.formats.column_checks import (
    Row,
    check_choice,
    check_format,
    check_sentences,
    check_widths,
    numbers_words,
    without_comments,
)
from datasets.formats.lines import DataError, read_lines


class Sentence(NamedTuple):
    """Words with one tag each."""

    words: list[str]
    tags: list[str]
    auxiliary: tuple[list[str], ...] = ()  # further columns, one value per word
    text: str | None = None  # the sentence before it was split into words
    lines: Sequence[int] = ()  # of each word in its file


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the collector, which would scan a million new objects again and again for cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_no_garbage_collection()
def read_columns(
    path: Path | str,
    column: str | None = None,
    auxiliary: Sequence[str] = (),
    word_column: str | None = None,
) -> list[Sentence]:
    """Read tagged sentences from a file in CoNLL columns.

    Columns are separated by tabs if the line has any, otherwise by spaces; other Unicode spaces are
    part of a word. Blank lines and `-DOCSTART-` lines end a sentence. All lines have the same
    number of columns; it may differ between sentences if all columns are numbered from the left, as
    in CoNLL-2009 and 2012.

    A line that starts with `#` is a word if it has as many columns as the others of its sentence,
    otherwise a comment. So is a line with `#` as the word if it begins a sentence and its tag
    occurs in no other line. Doubtful lines are warned of.

    Words are in the first column, or in the second if the first numbers the words of each sentence.

    Some files are read differently than meant, and so are refused, with the remedy: JSON, XML, CSV
    and a header; numbers in the first column that don't number the words; ten or more columns of
    numbered words, as in CoNLL-U, if the tag's column isn't named; a file without blank lines.
    Unless both columns are named, also tags in place of words, the same word on each line, far more
    distinct tags than words, and words that mostly contain spaces.

    Args:
        path: Path of the file, UTF-8.
        column: Number of the tag's column: 1, 2, ..., or -1, -2, ... from the end; None: the last.
        auxiliary: Numbers of further columns.
        word_column: Number of the word's column; None: see above.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: If the file is missing, empty, not UTF-8 or refused, a column does not exist, a
            word has no tag, or the lines differ in their number of columns.
    """
    tag, *others = [_index(name) for name in (column or "-1", *auxiliary)]
    clean = cache(_clean)  # equal cells become one string, which saves time and memory
    table = [
        [Row(number, line, _split(line, clean)) for number, line in block] for block in blocks(path)
    ]
    check_format(path, table)
    table = without_comments(path, table, tag)
    if not table:
        raise DataError(f"{path}: contains no sentences; expected a word and its tag on each line")
    word = _index(word_column) if word_column else int(numbers_words(path, table, column))
    chosen = [word, tag, *others]
    check_widths(path, table, chosen)
    check_choice(path, table, word, tag, named=bool(column and word_column))
    check_sentences(path, table, word)
    return [_sentence(block, chosen) for block in table]


def blocks(path: Path | str) -> Iterator[list[tuple[int, str]]]:
    """Read the blocks of lines between blank and `-DOCSTART-` lines.

    Args:
        path: Path of the file, UTF-8.

    Yields:
        The numbered lines of a block; line numbers start at 1.

    Raises:
        DataError: If the file is missing or not UTF-8.
    """

    def is_separator(numbered: tuple[int, str]) -> bool:
        line = numbered[1]
        return not line.strip() or ("-DOCSTART-" in line and "-DOCSTART-" in line.split()[:2])

    for separator, lines in groupby(enumerate(read_lines(path), start=1), key=is_separator):
        if not separator:
            yield list(lines)


def _sentence(rows: Sequence[Row], chosen: Sequence[int]) -> Sentence:
    """Select the columns of the words, the tags and others from rows of equal width."""
    columns = list(zip(*[row.cells for row in rows], strict=True))
    words, tags, *others = [list(columns[index]) for index in chosen]
    return Sentence(words, tags, tuple(others), lines=[row.number for row in rows])


def _split(line: str, clean: Callable[[str], str]) -> tuple[str, ...]:
    """Split a line into clean columns."""
    cells = line.split("\t") if "\t" in line else filter(None, line.split(" "))
    return tuple(map(clean, cells))


def _clean(cell: str) -> str:
    """Strip a cell; one of Unicode spaces alone is kept."""
    return cell.strip() or cell.strip(" ")


def _index(name: str) -> int:
    """Return the index of a column from its number."""
    try:
        number = int(name)
    except ValueError:
        number = 0
    if not number:
        raise DataError(
            f"column {name!r}: give its number: 1, 2, ..., or -1, -2, ... from the end; "
            "only files that end in .conllu have column names"
        )
    return number - (number > 0)
