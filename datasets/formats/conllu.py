"""Sentences in CoNLL-U, the format of Universal Dependencies: ten named columns."""

import re
from collections.abc import Sequence
from pathlib import Path

from datasets.formats.column_checks import check_numbering
from datasets.formats.columns import Sentence, blocks
from datasets.formats.lines import DataError, shorten

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")


def read_conllu(
    path: Path | str,
    column: str = "upos",
    auxiliary: Sequence[str] = (),
    word_column: str = "form",
) -> list[Sentence]:
    """Read tagged sentences from a CoNLL-U file.

    Multiword tokens (`1-2`) and empty nodes (`1.1`) are skipped. `text` is taken from the comment
    `# text = ...`; without one, the words are joined by spaces, except after `SpaceAfter=No`. A
    word may be `_`, but not all of them: some treebanks are distributed without their text.

    Args:
        path: Path of the file, UTF-8.
        column: Name of the tag's column: lemma, upos, xpos, feats, head, deprel, deps or misc.
        auxiliary: Names of further columns.
        word_column: Name of the word's column: form or lemma.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: If the file is missing, empty or not UTF-8, the column doesn't exist, a line does
            not have ten columns separated by tabs, words are not numbered 1, 2, ... in each
            sentence, all words are `_`, or the tag of a word is `_`. In lemma, feats and auxiliary
            columns `_` is a value.
    """
    for name in (column, *auxiliary):
        if name not in COLUMNS[2:]:
            raise DataError(f"CoNLL-U has no column {name!r}; choose {', '.join(COLUMNS[2:])}")
    if word_column not in COLUMNS[1:3]:
        raise DataError(f"word_column {word_column!r}: in CoNLL-U, choose form or lemma")
    chosen = [COLUMNS.index(name) for name in (word_column, column, *auxiliary)]
    sentences = []
    for block in blocks(path):
        text, rows = None, []
        for number, line in block:
            if line.startswith("#"):
                key, _, value = line[1:].partition("=")
                text = value.strip() if key.strip() == "text" else text
                continue
            row = line.split("\t")
            problem = _problem(line, row, chosen, allow_missing=column in ("lemma", "feats"))
            if problem:
                raise DataError(f"{path}, line {number}: {problem}")
            rows.append((number, row))
        words = [(number, row) for number, row in rows if row[0].isdecimal()]
        if words:
            check_numbering(path, [(number, int(row[0])) for number, row in words])
            columns = ([row[index] for _, row in words] for index in chosen)
            forms, tags, *others = columns
            text = text or _join([row for _, row in rows])
            sentences.append(Sentence(forms, tags, tuple(others), text, [n for n, _ in words]))
    if not sentences:
        raise DataError(f"{path}: contains no sentences; expected ten columns, separated by tabs")
    if {word for sentence in sentences for word in sentence.words} == {"_"}:
        raise DataError(f"{path}: every word is '_'; the treebank comes without its text, add it")
    return sentences


def _problem(line: str, row: list[str], chosen: list[int], allow_missing: bool) -> str | None:
    """Describe what is wrong with a line, if anything."""
    if len(row) != len(COLUMNS):
        if len(row) == 1 and len(line.split()) == len(COLUMNS):
            return f"spaces between the columns of {shorten(line)}; CoNLL-U has tabs"
        return f"{len(row)} columns; CoNLL-U has ten, separated by tabs; name other files *.conll"
    if not re.fullmatch(r"\d+([-.]\d+)?", row[0]):
        return f"{row[0]!r} is not a word number; CoNLL-U numbers words in column 1"
    if not all(row[index] for index in chosen):
        return "an empty column; CoNLL-U writes _ for a missing value"
    if row[0].isdecimal() and row[chosen[1]] == "_" and not allow_missing:
        name = COLUMNS[chosen[1]]
        return f"the word {row[1]!r} has no {name}; tag it or choose another column"
    return None


def _join(rows: list[list[str]]) -> str:
    """Join words to a text; a multiword token replaces its words."""
    text, last = "", 0  # last: number of the last word in the text
    for row in rows:
        first, _, end = row[0].partition("-")
        if "." not in first and int(first) > last:
            last = int(end or first)
            text += row[1] + ("" if "SpaceAfter=No" in row[-1].split("|") else " ")
    return text.strip()
