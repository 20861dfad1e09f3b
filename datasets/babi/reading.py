"""The questions of bAbI: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

import os
import random
from typing import TYPE_CHECKING, Literal, get_args

from datasets.babi.stories import Question
from datasets.formats.lines import DataError
from datasets.preparation import DATA_DIR, Source, prepared

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

Split = Literal["train", "dev", "test"]

DEV_SEED = 2015


def read_babi(split: Split) -> list[Question]:
    """Read a split of bAbI, English, 1,000 questions of each of 20 tasks for training.

    The files are downloaded, unless they, or their archive `tasksv11_en.tar.gz`, lie in the folder
    that `SEQKIT_MANUAL_DIR` names, or in its folder `babi`.

    Args:
        split: `train`, `dev` or `test`. Of the stories of train, every tenth is dev, chosen by a
            fixed seed.

    Returns:
        The questions, task by task, in order.

    Raises:
        DataError: no such split; or the files can't be downloaded, or are others than those
            published.
    """
    if split not in get_args(Split):
        raise DataError(f"no split {split!r} of bAbI; choose one of {', '.join(get_args(Split))}")
    builder = _prepared()
    questions = []
    # In batches, since TFDS takes as long for one as for an example.
    for batch in builder.as_dataset(split="test" if split == "test" else "train").ragged_batch(500):
        columns = {name: batch[name] for name in Question._fields}
        rows = zip(*(_to_list(column) for column in columns.values()), strict=True)
        questions += [_question(dict(zip(columns, row, strict=True))) for row in rows]
    return questions if split == "test" else held_out(questions, dev=split == "dev")


def held_out(questions: list[Question], dev: bool) -> list[Question]:
    """Take the dev questions, those of every tenth story, or the others.

    Example:
        >>> questions = [Question((), "Who?", "I", (), 1, story) for story in range(20)]
        >>> len(held_out(questions, dev=True)), len(held_out(questions, dev=False))
        (2, 18)
    """
    stories = list(dict.fromkeys((q.task, q.story) for q in questions))
    # Of `random`, `random()` alone is promised to draw the same in every version of Python.
    draw = random.Random(DEV_SEED).random
    chosen = set(sorted(stories, key=lambda _: draw())[: len(stories) // 10])
    return [q for q in questions if ((q.task, q.story) in chosen) == dev]


def _to_list(column: object) -> list:
    return column.to_list() if hasattr(column, "to_list") else column.numpy().tolist()


def _question(example: dict) -> Question:
    return Question(
        facts=tuple(fact.decode() for fact in example["facts"]),
        question=example["question"].decode(),
        answer=example["answer"].decode(),
        supporting=tuple(example["supporting"]),
        task=example["task"],
        story=example["story"],
    )


def _prepared() -> "tfds.core.DatasetBuilder":
    """The builder of the tasks, which TFDS has prepared."""
    from datasets.babi import babi_dataset_builder as babi

    names = (*babi.files("train"), *babi.files("test"))
    source = Source("bAbI", babi.URL, "babi", names, archive="tasksv11_en.tar.gz")
    return prepared(babi.Builder(data_dir=os.environ.get(DATA_DIR)), source)
