"""Sentences in CoNLL-U, the format of Universal Dependencies: ten named columns."""

import re
from collections.abc import Sequence
from pathlib import Path

from datasets.formats.columns import Sentence, blocks
from datasets.formats.lines import DataError

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")


def read_conllu(
    path: Path | str, column: str = "upos", auxiliary: Sequence[str] = ()
) -> list[Sentence]:
    """Read tagged sentences from a CoNLL-U file.

    Multiword tokens (`1-2`) and empty nodes (`1.1`) are skipped. `text` is taken from the comment
    `# text = ...`; without one, the words are joined by spaces, except after `SpaceAfter=No`.

    Args:
        path: Path of the file, UTF-8.
        column: Name of the tag's column: lemma, upos, xpos, feats, head, deprel, deps or misc.
        auxiliary: Names of further columns.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: If the file is missing, empty or not UTF-8, the column doesn't exist, a line does
            not have ten columns or doesn't start with a word number, or the tag of a word is `_`.
            In lemma, feats and auxiliary columns `_` is a value.
    """
    for name in (column, *auxiliary):
        if name not in COLUMNS[2:]:
            raise DataError(f"CoNLL-U has no column {name!r}; choose {', '.join(COLUMNS[2:])}")
    chosen = [COLUMNS.index(name) for name in ("form", column, *auxiliary)]
    sentences = []
    for block in blocks(path):
        text, rows = None, []
        for number, line in block:
            if line.startswith("#"):
                key, _, value = line[1:].partition("=")
                text = value.strip() if key.strip() == "text" else text
                continue
            row = line.split("\t")
            if len(row) != len(COLUMNS):
                problem = f"{len(row)} columns; CoNLL-U has ten, separated by tabs"
            elif not re.fullmatch(r"\d+([-.]\d+)?", row[0]):
                problem = f"{row[0]!r} is not a word number; CoNLL-U numbers words in column 1"
            elif not all(row[index] for index in chosen):
                problem = "an empty column; CoNLL-U writes _ for a missing value"
            elif row[0].isdecimal() and row[chosen[1]] == "_" and column not in ("lemma", "feats"):
                problem = f"the word {row[1]!r} has no {column}; tag it or choose another column"
            else:
                rows.append(row)
                continue
            raise DataError(f"{path}, line {number}: {problem}")
        words = [[row[index] for index in chosen] for row in rows if row[0].isdecimal()]
        if words:
            forms, tags, *others = map(list, zip(*words, strict=True))
            sentences.append(Sentence(forms, tags, tuple(others), text or _join(rows)))
    if not sentences:
        raise DataError(f"{path}: contains no sentences; expected ten columns, separated by tabs")
    return sentences


def _join(rows: list[list[str]]) -> str:
    """Join words to a text; a multiword token replaces its words."""
    text, last = "", 0  # last: number of the last word in the text
    for row in rows:
        first, _, end = row[0].partition("-")
        if "." not in first and int(first) > last:
            last = int(end or first)
            text += row[1] + ("" if "SpaceAfter=No" in row[-1].split("|") else " ")
    return text.strip()
