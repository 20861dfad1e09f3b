"""The questions of bAbI: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

import contextlib
import io
import os
import random
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from datasets.babi.stories import Question
from datasets.benchmarks import MANUAL_DIR
from datasets.text import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

Split = Literal["train", "dev", "test"]

ARCHIVE = "tasksv11_en.tar.gz"
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
    """Let TFDS prepare the tasks, if it hasn't yet."""
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
    from tensorflow_datasets.core.download.util import DownloadError

    from datasets.babi import babi_dataset_builder as babi

    builder = babi.Builder(data_dir=os.environ.get("TFDS_DATA_DIR"))
    finished = builder.data_path / "dataset_info.json"
    if finished.exists():
        return builder
    print(f"preparing bAbI in {builder.data_dir}, once: about a minute", file=sys.stderr)
    tfds.disable_progress_bar()
    names = [*babi.files("train"), *babi.files("test")]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        _copy_manual(names, Path(folder))
        try:
            missing = [name for name in names if not Path(folder, name).exists()]
            if missing:  # TFDS would try for minutes
                answer = requests.head(babi.URL + missing[0], allow_redirects=True, timeout=20)
                answer.raise_for_status()
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(
                    manual_dir=folder, try_download_gcs=False
                )
            )
        except NonMatchingChecksumError:
            raise _unavailable("the files are not those published", babi.URL) from None
        except (requests.RequestException, DownloadError) as error:
            problem = f"the download failed ({type(error).__name__})"
            raise _unavailable(problem, babi.URL) from None
        except OSError as error:
            if finished.exists():  # another process was faster
                return _prepared()
            raise DataError(
                f"{builder.data_dir}: {error.strerror or error}; TFDS_DATA_DIR can name "
                "another folder"
            ) from None
    return builder


def _copy_manual(names: list[str], target: Path) -> None:
    """Copy those files that lie in the manual folder, or in the archive there."""
    if MANUAL_DIR not in os.environ:
        return
    manual = Path(os.environ[MANUAL_DIR])
    if not manual.is_dir():
        raise DataError(f"{MANUAL_DIR}={manual}: there is no such folder; check the path")
    for folder in (manual / "babi", manual):
        for name in names:
            if (folder / name).exists():
                shutil.copyfile(folder / name, target / name)
        if not (folder / ARCHIVE).exists():
            continue
        try:
            with tarfile.open(folder / ARCHIVE, "r:gz") as archive:
                for member in archive:
                    if member.isfile() and (name := Path(member.name).name) in names:
                        (target / name).write_bytes(archive.extractfile(member).read())
        except (OSError, EOFError, tarfile.TarError) as error:
            raise DataError(f"{folder / ARCHIVE}: {error}; download it anew") from None


def _unavailable(reason: str, url: str) -> DataError:
    return DataError(
        f"bAbI cannot be prepared: {reason}; get its 40 files from {url}, or {ARCHIVE}, and name "
        f"their folder in the environment variable {MANUAL_DIR}"
    )
