"""Sentences in CoNLL columns: a word a line, its tag in the last column."""

from pathlib import Path
from typing import NamedTuple

from datasets.text import DataError, read_lines


class Sentence(NamedTuple):
    """Words, and one tag for each."""

    words: list[str]
    tags: list[str]


def read_columns(path: Path | str) -> list[Sentence]:
    """Read tagged sentences from a file in CoNLL columns.

    The word is the first column and the tag the last; columns are separated by tabs if the line
    has one, by white space otherwise. Blank lines and `-DOCSTART-` lines end a sentence. A line
    that starts with `#` is a comment, unless it has as many columns as the other lines.

    Args:
        path: the file, UTF-8.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or a line has too few columns or not as
            many as the lines before.
    """
    sentences, words, tags = [], [], []
    width = None

    def end_sentence() -> None:
        nonlocal words, tags
        if words:
            sentences.append(Sentence(words, tags))
        words, tags = [], []

    for number, line in enumerate(read_lines(path), start=1):
        columns = [column.strip() for column in line.split("\t")] if "\t" in line else line.split()
        if not any(columns) or columns[0] == "-DOCSTART-":
            end_sentence()
            continue
        if line.startswith("#") and len(columns) != width:
            continue
        width = width or len(columns)
        if len(columns) < 2:
            problem = f"one column ({columns[0]!r}); a word and its tag are needed"
        elif len(columns) != width:
            problem = f"{len(columns)} columns, but the lines before have {width}"
        elif not columns[0] or not columns[-1]:
            problem = "the word or the tag is empty"
        else:
            words.append(columns[0])
            tags.append(columns[-1])
            continue
        raise DataError(f"{path}, line {number}: {problem}")
    end_sentence()
    if not sentences:
        raise DataError(f"{path}: holds no sentence; expected a word and its tag on each line")
    return sentences
