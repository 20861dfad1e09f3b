"""Checks of a file in CoNLL columns: comments, numbered words, columns that may be misread."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, hides_characters, shorten, warn
from datasets.formats.recognition import check_first_line, is_csv, is_header

SAMPLE = 20  # lines that are examined for another format
LONG = 1000  # words of a sentence that probably lacks blank lines
ENOUGH = 100  # words from which the numbers of distinct words and tags are compared
MANY = 5  # times as many distinct tags as words: the columns are probably swapped
_NUMBER = re.compile(r"\d+([-.]\d+)?")  # of a word; also a range or an empty node of CoNLL-U
_SPAN_TAG = re.compile(r"[BIESLUMW]-.+|O")
_WITH_TAG = re.compile(r"\S+[/_][^\s/]+")  # the/DT
_BRACKETS = re.compile(r"\*|\(.*|.*\)")  # of CoNLL-2012: (PERSON*, *, *), (PERSON)
_NAME_BOTH = "give the word's column and the tag's, e.g. --word_column 2 --column 1"
_WIDE = 11  # columns of CoNLL-2012, at least


class Row(NamedTuple):
    """A line, split into columns."""

    number: int  # of the line in its file, from 1
    line: str
    cells: tuple[str, ...]


_CELLS = attrgetter("cells")
Table = list[list[Row]]  # the rows of each sentence


def check_format(path: Path | str, table: Table) -> None:
    """Refuse JSON, XML, CSV, tags inside of words and a header, judged by the first lines."""
    rows = list(chain.from_iterable(table[:SAMPLE]))[:SAMPLE]
    if not rows:
        return
    number, line, cells = rows[0]
    check_first_line(path, number, line)
    if not any("\t" in row.line for row in rows) and is_csv([row.line for row in rows]):
        raise DataError(
            f"{path}, line {number}: {shorten(line)} looks like CSV; separate the columns by tabs, "
            "without quotes, and the sentences by blank lines"
        )
    cells_of_all = list(chain.from_iterable(map(_CELLS, rows)))
    if len(cells_of_all) > len(rows) and all(map(_WITH_TAG.fullmatch, cells_of_all)):
        raise DataError(
            f"{path}, line {number}: {shorten(line)} has words with their tags attached; write one "
            "word per line: the word, a tab, its tag, and a blank line after each sentence"
        )
    if len(cells) > 1 and is_header(cells):
        raise DataError(f"{path}, line {number}: {shorten(line)} looks like a header; delete it")


def without_comments(path: Path | str, table: Table, tag: int) -> Table:
    """Drop comments, as `read_columns` describes them, and blocks of nothing else.

    Args:
        path: Path of the file.
        table: Rows of each block.
        tag: Index of the tag's column, which may count from the end.
    """
    rows = list(chain.from_iterable(table))
    marked = {row.number for row in rows if row.line[0] == "#"}
    if not marked:
        return table
    words = [row for row in rows if row.number not in marked]
    words = words or [row for row in rows if not row.line.startswith("# ")]
    if not words:
        return []
    has_tabs = sum("\t" in row.line for row in words) > len(words) / 2
    needed = tag + 1 if tag >= 0 else -tag
    tags = {row.cells[tag] for row in words if len(row.cells) >= needed}
    tags.add("#")  # its own tag in PTB
    kept, doubtful = [], []
    for block in table:
        if marked.isdisjoint(range(block[0].number, block[-1].number + 1)):
            kept.append(block)
            continue
        width = _width([row for row in block if not row.line.startswith("#")] or words)
        kept.append([])
        for row in block:
            if not row.line.startswith("#"):
                kept[-1].append(row)
                continue
            fits = len(row.cells) == width and ("\t" in row.line) == has_tabs
            known = bool(kept[-1]) or (_has(row, tag) and row.cells[tag] in tags)
            is_word, is_doubtful = _judge(row, fits, known, begins=not kept[-1])
            if is_word:
                kept[-1].append(row)
            if is_doubtful:
                doubtful.append((row, is_word))
    if doubtful:
        row, is_word = doubtful[0]
        kind = (
            "read as a word, whose tag is in no other line" if is_word else "skipped as a comment"
        )
        warn(
            f"{path}, line {row.number}: {shorten(row.line)} is {kind} (such lines: "
            f"{len(doubtful):,}); a word that begins with # needs as many columns as other words"
        )
    return [block for block in kept if block]


def numbers_words(path: Path | str, table: Table, column: str | None) -> bool:
    """Return whether the first column numbers the words of each sentence.

    Args:
        path: Path of the file.
        table: Rows of each sentence.
        column: Number of the tag's column, if it was given.

    Raises:
        DataError: If it has only numbers, but others; or if the file looks like CoNLL-U.
    """
    rows = list(chain.from_iterable(table))
    if not all(_NUMBER.fullmatch(row.cells[0]) for row in rows):
        return False
    width, ranges = _width(rows), [row for row in rows if not row.cells[0].isdecimal()]
    conllu = "; end the file's name in .conllu if it is CoNLL-U" if width == 10 else ""
    if ranges or width < 3 or not _count_up(table):
        row = (ranges or rows)[0]
        raise DataError(
            f"{path}, line {row.number}: the first column has only numbers, such as "
            f"{row.cells[0]}; give the word's column, e.g. --word_column 2, or 1 if the numbers "
            f"are the words{conllu}"
        )
    for block in table:
        check_numbering(path, [(row.number, int(row.cells[0])) for row in block])
    if width >= 10 and column is None:
        raise DataError(
            f"{path}, line {rows[0].number}: {width} columns; give the tag's column, e.g. "
            f"--column 4{conllu}"
        )
    return True


def check_numbering(path: Path | str, numbers: Sequence[tuple[int, int]]) -> None:
    """Check the numbers of a sentence's words, which count from 1, or from 0.

    Args:
        path: Path of the file.
        numbers: The line of each word, and its number.

    Raises:
        DataError: If a number isn't the next one.
    """
    start = min(1, numbers[0][1]) - 1
    for (_, before), (line, after) in pairwise([(0, start), *numbers]):
        if after != before + 1:
            remedy = "put a blank line between sentences" if after < 2 else "number words 1, 2, ..."
            raise DataError(f"{path}, line {line}: word number {after} follows {before}; {remedy}")


def check_widths(path: Path | str, table: Table, chosen: Sequence[int]) -> None:
    """Check that each row has the chosen columns and as many as the others, none of them empty.

    Args:
        path: Path of the file.
        table: Rows of each sentence.
        chosen: Indices of columns, that of the word first; if none counts from the end, sentences
            may differ in width.
    """
    file_width = _width(list(chain.from_iterable(table)))
    from_left = min(chosen) >= 0
    needed = max(2, *(index + 1 if index >= 0 else -index for index in chosen))
    for block in table:
        width = _width(block) if from_left else file_width
        for row in block:
            if len(row.cells) == width >= needed and all(map(str.strip, row.cells)):
                continue  # complete, as almost every row is
            problem = _problem(row, width, chosen)
            if problem:
                raise DataError(f"{path}, line {row.number}: {problem}")


def check_choice(path: Path | str, table: Table, word: int, tag: int, named: bool) -> None:
    """Refuse columns that don't look like words and tags.

    Args:
        path: Path of the file.
        table: Rows of each sentence, with as many columns as needed.
        word: Index of the word's column.
        tag: Index of the tag's column.
        named: Whether both were named, so that they only have to differ.
    """
    rows = list(chain.from_iterable(table))
    words, tags = (Counter(row.cells[index] for row in rows) for index in (word, tag))
    if sum(map(bool, map(_BRACKETS.fullmatch, tags))) > len(tags) / 2 and "*" in tags:
        bracket = max(tags, key=len)
        warn(
            f"{path}: tags such as {bracket!r} are brackets, read as plain tags; to score spans, "
            "convert them to B-NAME, I-NAME and O"
        )
    places = [index % len(rows[0].cells) + 1 for index in (word, tag)]
    with_spaces = [text for text in words if " " in text]
    if places[0] == places[1]:
        problem = f"column {places[0]} can't be both the words and the tags; {_NAME_BOTH}"
    elif named:
        return
    elif len(words) > 1 and all(_SPAN_TAG.fullmatch(text) for text in words):
        first = next(text for text in words if text != "O")
        problem = f"column {places[0]} has only tags, such as {first!r}, no words; {_NAME_BOTH}"
    elif len(rows) >= max(SAMPLE, 2 * len(table)) and all(
        len({row.cells[word] for row in block}) == 1 for block in table
    ):
        problem = (
            f"each sentence repeats one word of column {places[0]}, such as "
            f"{rows[0].cells[word]!r}; {_NAME_BOTH}"
        )
        if len(rows[0].cells) >= _WIDE:
            problem = problem.replace("2 --column 1", "4 --column 5 in CoNLL-2012")
    elif len(rows) >= ENOUGH and MANY * len(words) < len(tags):
        problem = (
            f"column {places[1]} has far more distinct tags ({len(tags):,}) than column "
            f"{places[0]} has words ({len(words):,}); {_NAME_BOTH}"
        )
    elif len(words) > 1 and len(with_spaces) > len(words) / 2:
        problem = (
            f"most words in column {places[0]} contain spaces, such as {with_spaces[0]!r}; "
            "write one word per line, not whole sentences; separate all columns by tabs"
        )
    else:
        return
    raise DataError(f"{path}: {problem}")


def check_sentences(path: Path | str, table: Table, word: int) -> None:
    """Refuse a file without blank lines; warn of very long sentences and invisible words."""
    longest = max(table, key=len)
    if len(longest) > LONG:
        message = (
            f"{path}, line {longest[0].number}: a sentence of {len(longest):,} words; put a blank "
            "line between sentences"
        )
        if len(table) == 1:
            raise DataError(message)
        warn(message)
    if len(table) >= SAMPLE and len(longest) == 1:
        warn(f"{path}: each sentence has one word; put blank lines only between sentences")
    rows = list(chain.from_iterable(table))
    odd = set(filter(hides_characters, {row.cells[word] for row in rows}))
    if odd:
        hidden = [row for row in rows if row.cells[word] in odd]
        warn(
            f"{path}, line {hidden[0].number}: the word {hidden[0].cells[word]!r} has invisible "
            f"characters (such lines: {len(hidden):,}); remove them, or the line"
        )


def _judge(row: Row, fits: bool, known: bool, begins: bool) -> tuple[bool, bool]:
    """Return whether a line that starts with `#` is a word, and whether that is doubtful.

    Args:
        row: The line.
        fits: Whether it has as many columns as the words.
        known: Whether it is inside a sentence, or another word has its tag.
        begins: Whether it would begin a sentence.
    """
    bare = row.cells[0] == "#"
    if fits:
        return known or not bare, not known
    return False, not begins or (len(row.cells) == 1 and not bare)


def _width(rows: Sequence[Row]) -> int:
    """Return the number of columns of most rows."""
    return Counter(map(len, map(_CELLS, rows))).most_common(1)[0][0]


def _has(row: Row, index: int) -> bool:
    return -len(row.cells) <= index < len(row.cells)


def _count_up(table: Table) -> bool:
    """Return whether the numbers in the first column start at 0 or 1, and mostly count up."""
    numbers = [[int(row.cells[0]) for row in block] for block in table]
    steps = [after - before == 1 for block in numbers for before, after in pairwise(block)]
    return sum(steps) >= len(steps) / 2 and all(block[0] < 2 for block in numbers)


def _problem(row: Row, width: int, chosen: Sequence[int]) -> str | None:
    """Describe what is wrong with a row, if anything."""
    cells, word, *tags = row.cells, *chosen
    if len(cells) < 2:
        return (
            f"one column ({shorten(cells[0])}); expected a word and its tag, separated by a tab "
            "or spaces"
        )
    if len(cells) != width:
        remedy = "give each word the same columns, separated by tabs if words contain spaces"
        if min(chosen) < 0 and len(cells) > max(chosen):
            remedy += "; if sentences differ in width, give --column as a number from 1"
        return (
            f"{len(cells)} columns, but the other lines have {width}: {shorten(row.line)}; {remedy}"
        )
    missing = [index for index in chosen if not _has(row, index)]
    if missing:
        name = missing[0] + (missing[0] >= 0)
        return f"no column {name}, the line has {width}; choose another"
    if not cells[word] or not all(cells[tag].strip() for tag in tags):
        return (
            f"the word or the tag is empty in {shorten(row.line)}; each word needs a tag, in the "
            "last column unless --column gives another"
        )
    return None
