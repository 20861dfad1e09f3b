"""Sentences in CoNLL columns: one word per line, followed by its tags."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


class Sentence(NamedTuple):
    """Words with one tag each."""

    words: list[str]
    tags: list[str]
    auxiliary: tuple[list[str], ...] = ()  # further columns, one value per word
    text: str | None = None  # the sentence before it was split into words


def read_columns(
    path: Path | str, column: str | None = None, auxiliary: Sequence[str] = ()
) -> list[Sentence]:
    """Read tagged sentences from a file in CoNLL columns.

    The word is the first column. Columns are separated by tabs if the line has any, otherwise by
    white space. Blank lines and `-DOCSTART-` lines end a sentence. A line that starts with
    `#` is a comment, unless it has as many columns as the other lines.

    Args:
        path: Path of the file, UTF-8.
        column: Number of the tag's column: 1, 2, ..., or -1, -2, ... from the end; None: the last.
        auxiliary: Numbers of further columns.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: If the file is missing, empty or not UTF-8, a column does not exist, a word has
            no tag, or the lines differ in their number of columns.
    """
    chosen = [_number(name) for name in (column or "-1", *auxiliary)]
    sentences, width = [], None
    for block in blocks(path):
        words, rows = [], []
        for number, line in block:
            cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
            if line.startswith("#") and len(cells) != width:
                continue
            width = width or len(cells)
            missing = [name for name in chosen if not 1 <= abs(name) <= len(cells)]
            if len(cells) < 2:
                problem = f"one column ({cells[0]!r}); expected a word and its tag"
            elif len(cells) != width:
                problem = f"{len(cells)} columns, but the previous lines have {width}"
            elif missing:
                problem = f"no column {missing[0]}, the line has {width}; choose another"
            else:
                word, *tags = [cells[name - (name > 0)] for name in (1, *chosen)]
                if word and all(tags):
                    words.append(word)
                    rows.append(tags)
                    continue
                problem = "the word or the tag is empty; each word needs a tag"
            raise DataError(f"{path}, line {number}: {problem}")
        if words:
            tags, *others = map(list, zip(*rows, strict=True))
            sentences.append(Sentence(words, tags, tuple(others)))
    if not sentences:
        raise DataError(f"{path}: contains no sentences; expected a word and its tag on each line")
    return sentences


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
        return not numbered[1].strip() or numbered[1].split()[0] == "-DOCSTART-"

    for separator, lines in groupby(enumerate(read_lines(path), start=1), key=is_separator):
        if not separator:
            yield list(lines)


def _number(name: str) -> int:
    try:
        number = int(name)
    except ValueError:
        number = 0
    if not number:
        raise DataError(
            f"column {name!r}: give its number: 1, 2, ..., or -1, -2, ... from the end; "
            "only files that end in .conllu have column names"
        )
    return number
