"""Files of stories and questions in the format of the bAbI tasks."""

import re
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


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

    The supporting lines may be omitted. A file name that begins with `qa7_` is of task 7.

    Args:
        path: Path of the file, UTF-8.

    Returns:
        The questions, in order; their facts contain no other questions.

    Raises:
        DataError: If the file is missing, empty or not UTF-8, a line number is not the next one, a
            fact or an answer is empty, or a supporting line is not a fact of the story.
    """
    task = re.match(r"qa(\d+)_", Path(path).name)
    questions, facts, story, last = [], {}, -1, 0
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        text, *columns = (column.strip() for column in line.split("\t"))
        label, _, text = text.partition(" ")
        text = text.strip()
        if label not in ("1", str(last + 1)):
            raise DataError(
                f"{where}: begins with {label!r}; expected {last + 1}, or 1 where a story begins"
            )
        last = int(label)
        if last == 1:
            story, facts = story + 1, {}
        if not text:
            raise DataError(f"{where}: no text after the number; add a fact or a question")
        if not columns:
            facts[last] = text
            continue
        if not columns[0]:
            raise DataError(f"{where}: no answer; add it after the question and a tab")
        indices = {str(label): index for index, label in enumerate(facts)}
        labels = columns[1].split() if columns[1:] else []
        for label in labels:
            if label not in indices:
                raise DataError(
                    f"{where}: supporting line {label!r} is not a fact of the story so far"
                )
        questions.append(
            Question(
                facts=tuple(facts.values()),
                question=text,
                answer=columns[0],
                supporting=tuple(indices[label] for label in labels),
                task=int(task[1]) if task else 0,
                story=story,
            )
        )
    if not questions:
        raise DataError(f"{path}: contains no question; expected a question, a tab and its answer")
    return questions
