"""How many answers are wrong: of a model in training, and of what is served, task by task."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.babi.config import Config
from apps.babi.data import Data, check_answers, checksum, encode, gather, plan, read_split
from apps.babi.sentences import Vocabulary
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.report import table
from datasets.babi.stories import Question, read_stories
from datasets.formats.lines import DataError

METRIC = (
    "wrong answers in percent: of each task, and the mean over tasks (mean_error); "
    "failed_tasks: those with more than 5"
)
FAILED = 5.0  # percent of wrong answers above which a task counts as failed
_BATCH = 100


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Make what scores a model on the dev questions: wrong answers in percent, mean over tasks."""
    encoded = encode(data.dev, data.vocabulary, config.max_facts)
    widths = np.minimum(-(-np.maximum(encoded.counts, 1) // 8) * 8, config.max_facts)

    def validate() -> dict[str, float]:
        wrong = np.zeros(len(data.dev), bool)
        for rows, width in plan(widths, _BATCH):
            inputs = gather(encoded, rows, encoded.facts[rows, :width])
            logits = model.predict_on_batch(list(inputs))
            wrong[rows] = np.argmax(logits, axis=-1) != encoded.answers[rows]
        errors = _errors(data.dev, wrong)
        return {"error": float(np.mean(list(errors.values())))}

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score what is served on a split, or on the questions of a file.

    Args:
        config: of the model.
        signatures: what is served.
        folder: what `Data.save` wrote into.
        split: `dev` or `test`.
        file: questions in bAbI's format, instead of the split.

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
    except DataError as error:  # an export may be far from what it was trained on
        notes = [f"without a baseline, which needs the training data: {error}"]
    model, *others = map(_scores, errors.values())
    return Evaluation(
        metric=METRIC,
        scores=model,
        baselines=dict(zip(list(errors)[1:], others, strict=True)),
        size={"questions": len(questions), "tasks": len(errors["model"])},
        checksum=checksum(questions),
        details="\n\n".join([_details(questions, errors), *notes]),
    )


def answer(signatures: Signatures, questions: list[Question]) -> list[str]:
    """Answer questions by what is served."""
    answers = []
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        served = signatures["serving_default"](
            facts=tf.constant(["\n".join(q.facts) for q in batch]),
            question=tf.constant([q.question for q in batch]),
        )
        answers += [text.decode() for text in served["answer"].numpy()]
    return answers


def _errors(questions: list[Question], wrong: np.ndarray) -> dict[int, float]:
    """Wrong answers of each task in percent."""
    tasks = np.array([q.task for q in questions])
    of_task = {task: wrong[tasks == task] for task in np.unique(tasks).tolist()}
    return {task: float(100 * rows.sum() / len(rows)) for task, rows in of_task.items()}


def _most_frequent(train: list[Question], questions: list[Question]) -> dict[int, float]:
    """Errors of a guess: the answer that training gives most often in the task, or at all."""
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
    """Of task 0, which no file name tells, too."""
    return f"qa{task}" if task else "questions"
