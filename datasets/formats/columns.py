"""Sentences in CoNLL columns: a word a line, and its tags beside it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


class Sentence(NamedTuple):
    """Words, and one tag for each."""

    words: list[str]
    tags: list[str]
    auxiliary: tuple[list[str], ...] = ()  # further columns, a tag a word: learned beside the tags
    text: str | None = None  # as it was written, before it was split into words


def read_columns(
    path: Path | str, column: str | None = None, auxiliary: Sequence[str] = ()
) -> list[Sentence]:
    """Read tagged sentences from a file in CoNLL columns.

    The word is the first column; columns are separated by tabs if the line has one, by white
    space otherwise. Blank lines and `-DOCSTART-` lines end a sentence. A line that starts with
    `#` is a comment, unless it has as many columns as the other lines.

    Args:
        path: the file, UTF-8.
        column: number of the tag's column, from 1, or from the end: -1; None: the last.
        auxiliary: numbers of further columns.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: the file is missing, empty or not UTF-8; a column is not there; a word has no
            tag; or a line has not as many columns as the lines before.
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
                problem = f"one column ({cells[0]!r}); a word and its tag are needed"
            elif len(cells) != width:
                problem = f"{len(cells)} columns, but the lines before have {width}"
            elif missing:
                problem = f"column {missing[0]} asked for, the line has {width}; choose another"
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
        raise DataError(f"{path}: holds no sentence; expected a word and its tag on each line")
    return sentences


def blocks(path: Path | str) -> Iterator[list[tuple[int, str]]]:
    """Read the lines between blank and `-DOCSTART-` lines, each with its number, from 1.

    Raises:
        DataError: the file is missing or not UTF-8.
    """

    def ends(numbered: tuple[int, str]) -> bool:
        return not numbered[1].strip() or numbered[1].split()[0] == "-DOCSTART-"

    for end, lines in groupby(enumerate(read_lines(path), start=1), key=ends):
        if not end:
            yield list(lines)


def _number(name: str) -> int:
    try:
        number = int(name)
    except ValueError:
        number = 0
    if not number:
        raise DataError(
            f"column {name!r}: give its number, 1, 2, ..., or -1, -2, ... from the end; "
            "names belong to files that end in .conllu"
        )
    return number
