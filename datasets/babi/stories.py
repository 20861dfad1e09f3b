"""Files of stories and questions in the format of the bAbI tasks."""

import re
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines, shorten, warn
from datasets.formats.recognition import check_first_line

LONG = 100  # questions in one story, whose numbers probably should have begun with 1 again
# An answer after a question mark and spaces, or before wide spaces and a number.
_LOST_TABS = re.compile(r"\?(\s{2,}\S|\s+\S.*?(\s+\d+)+$)|\s{2,}\S.*\s{2,}\d+$")


class Question(NamedTuple):
    """A question and the preceding facts of its story."""

    facts: tuple[str, ...]  # as written, the most recent last
    question: str
    answer: str
    supporting: tuple[int, ...]  # indices of the facts that the answer follows from
    task: int  # 1 to 20; 0 if the file name does not give it
    story: int  # index of the story in its file


def read_stories(path: Path | str) -> list[Question]:
    """Read the questions of a file.

    Each line begins with its number in the story; 1 begins a new story. The rest is a fact, or a
    question, its answer and the numbers of the supporting lines, separated by tabs:

        1 Mary moved to the bathroom.
        2 Where is Mary?<tab>bathroom<tab>1

    The supporting lines may be omitted, and so may the question mark: the tab makes a line a
    question. An answer is everything up to the next tab, such as `apple,milk`. Blank lines may
    separate stories. A file name that begins with `qa7_` is of task 7.

    A question whose tabs were replaced by spaces, which would be read as a fact, is refused with
    the remedy, and so is a blank line inside a story, where the numbers should have begun with 1.

    Args:
        path: Path of the file, UTF-8.

    Returns:
        The questions, in order; their facts contain no other questions.

    Raises:
        DataError: If the file is missing, empty, not UTF-8 or refused, a line number is not the
            next one, a fact or an answer is empty, or a supporting line is not a fact of the story.
    """
    found = re.match(r"qa(\d+)_", Path(path).name)
    task = int(found[1]) if found else 0
    questions, facts, story, last = [], {}, -1, 0
    blank = False
    for number, line in enumerate(read_lines(path), start=1):
        where = f"{path}, line {number}"
        if not line.strip():
            blank = True
            continue
        if not last:
            check_first_line(path, number, line)
        label, text, columns = _split(line)
        problem = _problem_of_number(label, last, blank) or _problem(text, columns)
        if problem:
            raise DataError(f"{where}: {problem}")
        last, blank = int(label), False
        if last == 1:
            story, facts = story + 1, {}
        if columns:
            supporting = _supporting(where, columns, facts)
            question = Question(tuple(facts.values()), text, columns[0], supporting, task, story)
            questions.append(question)
        else:
            facts[last] = text
    if not questions:
        raise DataError(f"{path}: contains no question; expected a question, a tab and its answer")
    if len(questions) > LONG and story == 0:
        warn(f"{path}: one story with {len(questions):,} questions; begin each story with 1")
    return questions


def _split(line: str) -> tuple[str, str, list[str]]:
    """Split a line into its number, its text and further columns."""
    label, text = re.fullmatch(r"(\S*)\s?(.*)", line.lstrip(), re.DOTALL).groups()
    text, *columns = (column.strip() for column in text.split("\t"))
    return label, text, columns


def _problem_of_number(label: str, last: int, blank: bool) -> str | None:
    """Describe what is wrong with a line's number, if anything.

    Args:
        label: The number as written.
        last: The number before; 0 at the beginning.
        blank: Whether the line before is blank.
    """
    if not label.isdecimal():
        return f"begins with {shorten(label)}, not a number; number the lines: 1 Mary went home."
    if label not in ("1", str(last + 1)):
        expected = f"{last + 1}, or 1 where a story begins" if last else "1"
        return f"begins with {label!r}; expected {expected}"
    if blank and last and label != "1":
        return f"{label} after a blank line; begin stories with 1, or drop blank lines inside"
    return None


def _problem(text: str, columns: list[str]) -> str | None:
    """Describe what is wrong with a fact or question, if anything."""
    if not text:
        return "no text after the number; add a fact or a question"
    if columns and not columns[0]:
        return "no answer; add it after the question and a tab"
    if not columns and _LOST_TABS.search(text):
        return (
            f"{shorten(text)} is a question without tabs; put one before the answer, and one before"
            " the supporting lines"
        )
    return None


def _supporting(where: str, columns: list[str], facts: dict[int, str]) -> tuple[int, ...]:
    """Return the indices of the supporting facts."""
    indices = {str(label): index for index, label in enumerate(facts)}
    labels = columns[1].split() if columns[1:] else []
    for label in labels:
        if label not in indices:
            raise DataError(
                f"{where}: supporting line {label!r} is not a fact of the story so far; give the "
                "numbers of facts, with spaces between them"
            )
    return tuple(indices[label] for label in labels)
