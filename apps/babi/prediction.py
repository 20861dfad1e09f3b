"""Answers for the reader, with the facts that were looked at."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from apps.babi.config import PredictOptions
from apps.babi.serving import split_question
from apps.common.app import Signatures
from apps.common.errors import UserError
from apps.common.report import table


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Answer lines, each a story with its question last.

    Args:
        options: ignored.
        signatures: what is served.
        batches: lines: `Mary went to the kitchen. Where is Mary?`.

    Yields:
        A text, with a table of the attention if the model has one, and a record for each line.

    Raises:
        UserError: a line has no question.
    """
    number = 0
    for lines in batches:
        pairs = []
        for line in lines:
            number += 1
            story, question = split_question(line)
            if not question.endswith("?") or not any(map(str.isalnum, question)):
                raise UserError(
                    f"line {number}: no question; write a story with its question last: "
                    "Mary went to the kitchen. Where is Mary?"
                )
            pairs.append((story, question))
        stories, questions = map(list, zip(*pairs, strict=True))
        served = signatures["serving_default"](
            facts=tf.constant(stories), question=tf.constant(questions)
        )
        arrays = {name: tensor.numpy() for name, tensor in served.items()}
        for row, question in enumerate(questions):
            record = _record(question, {name: array[row] for name, array in arrays.items()})
            yield _text(record), record


def _record(question: str, answer: dict[str, np.ndarray]) -> dict[str, Any]:
    facts = [fact.decode() for fact in answer["facts"] if fact]
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
