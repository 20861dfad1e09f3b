"""bAbI: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

from typing import get_args

from datasets.babi.stories import Question
from datasets.formats.lines import DataError
from datasets.preparation import Source, examples, prepare
from datasets.splits import Split, hold_out

DEV_SEED = 2015


def read_babi(split: Split) -> list[Question]:
    """Read a split of bAbI: English, 20 tasks, 1,000 training questions each.

    The files are downloaded, unless they or their archive `tasksv11_en.tar.gz` are in the folder
    given by `SEQKIT_MANUAL_DIR` or in its subfolder `babi`.

    Args:
        split: `train`, `dev` or `test`. A tenth of the training stories, drawn with a fixed seed,
            is dev.

    Returns:
        The questions, task by task, in order.

    Raises:
        DataError: If there is no such split, or if the files cannot be downloaded or differ from
            the published ones.
    """
    if split not in get_args(Split):
        raise DataError(f"no split {split!r} of bAbI; choose one of {', '.join(get_args(Split))}")
    from datasets.babi import babi_dataset_builder as babi

    names = (*babi.files("train"), *babi.files("test"))
    source = Source("bAbI", babi.URL, "babi", names, archive="tasksv11_en.tar.gz")
    builder = prepare(source, babi.Builder)
    published = "test" if split == "test" else "train"
    questions = [_question(example) for example in examples(builder, published)]
    return questions if split == "test" else split_train(questions, dev=split == "dev")


def split_train(questions: list[Question], dev: bool) -> list[Question]:
    """Return the dev part of the training questions (a tenth of the stories), or the rest.

    Example:
        >>> questions = [Question((), "Who?", "I", (), 1, story) for story in range(20)]
        >>> len(split_train(questions, dev=True)), len(split_train(questions, dev=False))
        (2, 18)
    """
    stories = list(dict.fromkeys((q.task, q.story) for q in questions))
    dev_stories = hold_out(stories, len(stories) // 10, DEV_SEED)
    return [q for q in questions if ((q.task, q.story) in dev_stories) == dev]


def _question(example: dict) -> Question:
    return Question(
        facts=tuple(fact.decode() for fact in example["facts"]),
        question=example["question"].decode(),
        answer=example["answer"].decode(),
        supporting=tuple(example["supporting"].tolist()),
        task=int(example["task"]),
        story=int(example["story"]),
    )
