"""Files of stories and questions, in the format of the bAbI tasks."""

import re
from pathlib import Path
from typing import NamedTuple

from datasets.formats.lines import DataError, read_lines


class Question(NamedTuple):
    """A question, and the facts of its story that were told before it."""

    facts: tuple[str, ...]  # as they are written, the most recent last
    question: str
    answer: str
    supporting: tuple[int, ...]  # numbers of the facts that the answer follows from, from 0
    task: int  # 1 to 20; 0 if the name of the file doesn't say
    story: int  # number of the story in its file, from 0


def read_stories(path: Path | str) -> list[Question]:
    """Read the questions of a file.

    Each line begins with its number in the story; a 1 begins a new one. The rest is a fact, or a
    question, its answer and the numbers of the lines that support it, with tabs between:

        1 Mary moved to the bathroom.
        2 Where is Mary?<tab>bathroom<tab>1

    The supporting lines may be left out. `qa7_` in the name of the file says that it is of task 7.

    Args:
        path: the file, UTF-8.

    Returns:
        The questions, in order. No question is among the facts of another.

    Raises:
        DataError: the file is missing, empty or not UTF-8; a number is not the next one; a fact or
            an answer is empty; or a supporting line is no fact of the story.
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
            raise DataError(f"{where}: no text behind the number; write a fact or a question")
        if not columns:
            facts[last] = text
            continue
        if not columns[0]:
            raise DataError(f"{where}: no answer; write it behind the question and a tab")
        places = {str(label): place for place, label in enumerate(facts)}
        labels = columns[1].split() if columns[1:] else []
        for label in labels:
            if label not in places:
                raise DataError(
                    f"{where}: supporting line {label!r} is no fact of the story so far"
                )
        questions.append(
            Question(
                facts=tuple(facts.values()),
                question=text,
                answer=columns[0],
                supporting=tuple(places[label] for label in labels),
                task=int(task[1]) if task else 0,
                story=story,
            )
        )
    if not questions:
        raise DataError(f"{path}: holds no question; expected a question, a tab and its answer")
    return questions
