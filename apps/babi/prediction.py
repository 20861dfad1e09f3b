"""Answers of `predict`, with the attention weight of each fact."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from apps.babi.sentences import split_question
from apps.common.answers import call, row, strings
from apps.common.app import Answer, Signatures
from apps.common.config import PredictOptions
from apps.common.errors import UserError
from apps.common.report import table
from datasets.formats.lines import warn


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Answer lines such as `Mary went to the kitchen. Where is Mary?`.

    Yields:
        A text, with a table of the attention if the model has one, and a record for each line.

    Raises:
        UserError: If a line has no question.
    """
    number = 0
    for lines in batches:
        pairs = []
        for line in lines:
            number += 1
            story, question = split_question(line)
            if not question.endswith("?") or not any(map(str.isalnum, question)):
                raise UserError(
                    f"line {number}: no question; write a story and then a question: "
                    "Mary went to the kitchen. Where is Mary?"
                )
            pairs.append((story, question))
        stories, questions = map(list, zip(*pairs, strict=True))
        answers = call(signatures["serving_default"], facts=stories, question=questions)
        for index, question in enumerate(questions):
            record = _record(question, row(answers, index))
            words = answers["unknown"][index] if "unknown" in answers else ()  # an older export
            if unknown := list(dict.fromkeys(strings(word for word in words if word))):
                place = number - len(lines) + index + 1
                warn(f"line {place}: words that do not occur in training: {', '.join(unknown)}")
            yield _text(record), record


def _record(question: str, answer: dict[str, np.ndarray]) -> dict[str, Any]:
    facts = strings(fact for fact in answer["facts"] if fact)
    record = {
        "question": question,
        "answer": answer["answer"].decode(),
        "probability": round(float(answer["probability"]), 4),
        "facts": facts,
    }
    if "attention" in answer:
        weights = answer["attention"][:, : len(facts)].astype(float)
        record["attention"] = weights.round(4).tolist()
    return record


def _text(record: dict[str, Any]) -> str:
    text = f"{record['answer']} ({record['probability']:.2f})"
    if not record["facts"] or "attention" not in record:
        return text
    hops = record["attention"]
    header = [record["question"], *(f"hop {hop}" for hop in range(1, len(hops) + 1))]
    rows = [
        [fact, *(f"{weight:.2f}" for weight in weights)]
        for fact, weights in zip(record["facts"], zip(*hops, strict=True), strict=True)
    ]
    shown = table(header, rows)
    return "\n".join([text, *(f"  {line}" for line in shown.splitlines())])
