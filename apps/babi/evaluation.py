"""Error rates: of a model in training, and of exported functions, task by task."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np

from apps.babi.config import Config
from apps.babi.data import Data, check_answers, encode, gather, padded_counts, read_split
from apps.babi.sentences import Vocabulary
from apps.common.answers import call, strings
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.batching import bucket_batches, in_batches
from apps.common.report import table
from apps.common.splits import checksum
from datasets.babi.stories import Question, read_stories
from datasets.formats.lines import DataError

METRIC = (
    "wrong answers in percent: for each task, and the mean over tasks (mean_error); "
    "failed_tasks: those with more than 5"
)
FAILED = 5.0  # percent of wrong answers above which a task counts as failed
_BATCH = 100


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Return a function that scores a model in training on dev: the mean error over tasks."""
    encoded = encode(data.dev, data.vocabulary, config.max_facts)
    widths = padded_counts(encoded.counts, config)
    batches = bucket_batches(widths, _BATCH, fill="repeat")

    def validate() -> dict[str, float]:
        wrong = np.zeros(len(data.dev), bool)
        for rows, width in batches:
            inputs = gather(encoded, rows, encoded.facts[rows, :width])
            logits = model.predict_on_batch(list(inputs))
            wrong[rows] = np.argmax(logits, axis=-1) != encoded.answers[rows]
        errors = _errors(data.dev, wrong)
        return {"error": float(np.mean(list(errors.values())))}

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score exported functions on a split, or on a file of questions in bAbI's format.

    Returns:
        `mean_error`, `failed_tasks`, and the error of each task, such as `qa7`, next to those of
        the most frequent answer of the task in training.
    """
    questions = read_stories(file) if file else read_split(config, split)
    check_answers(questions, Vocabulary.read(folder), str(file or split))
    wrong = np.array(answer(signatures, questions)) != [q.answer for q in questions]
    errors = {"model": _errors(questions, wrong)}
    notes = []
    try:
        errors["most frequent answer"] = _most_frequent(read_split(config, "train"), questions)
    except DataError as error:  # the training data of an export may not be available
        notes = [f"no baseline, which requires the training data: {error}"]
    tasks = [task for task in errors["model"] if task]  # 0: the file names no task
    model, *others = map(_scores, errors.values())
    return Evaluation(
        metric=METRIC,
        scores=model,
        baselines=dict(zip(list(errors)[1:], others, strict=True)),
        size={"questions": len(questions)} | ({"tasks": len(tasks)} if tasks else {}),
        checksum=checksum(questions),
        details="\n\n".join([_details(questions, errors), *notes]),
    )


def answer(signatures: Signatures, questions: list[Question]) -> list[str]:
    """Answer questions with the exported function."""

    def answer_batch(batch: list[Question]) -> list[str]:
        facts, question = ["\n".join(q.facts) for q in batch], [q.question for q in batch]
        answered = call(signatures["serving_default"], facts=facts, question=question)
        return strings(answered["answer"])

    return in_batches(answer_batch, questions, _BATCH)


def _errors(questions: list[Question], wrong: np.ndarray) -> dict[int, float]:
    """Return the share of wrong answers per task, in percent."""
    tasks = np.array([q.task for q in questions])
    wrong_of_task = {task: wrong[tasks == task] for task in np.unique(tasks).tolist()}
    return {task: float(100 * rows.sum() / len(rows)) for task, rows in wrong_of_task.items()}


def _most_frequent(train: list[Question], questions: list[Question]) -> dict[int, float]:
    """Return the errors of guessing the most frequent training answer of each task, or of all."""
    guess = {}
    for task in {q.task for q in questions}:
        answers = [q.answer for q in train if q.task == task] or [q.answer for q in train]
        guess[task] = Counter(answers).most_common(1)[0][0]
    return _errors(questions, np.array([guess[q.task] != q.answer for q in questions]))


def _scores(errors: dict[int, float]) -> dict[str, float]:
    return {
        "mean_error": float(np.mean(list(errors.values()))),
        "failed_tasks": float(sum(error > FAILED for error in errors.values())),
        **{_name(task): error for task, error in errors.items()},
    }


def _details(questions: list[Question], errors: dict[str, dict[int, float]]) -> str:
    counts = Counter(q.task for q in questions)
    rows = [
        [_name(task), str(counts[task]), *(f"{system[task]:.1f}" for system in errors.values())]
        for task in sorted(counts)
    ]
    return table(["task", "questions", *errors], rows)


def _name(task: int) -> str:
    """Name a task; 0 is an unknown task."""
    return f"qa{task}" if task else "all"
