"""Answers for the reader: tagged lines, their alternatives, a page."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from apps.common.app import Signatures
from apps.common.new_file import check_new_file
from apps.tagger.config import PredictOptions
from apps.tagger.page import Answer, write_page


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tag lines of text, batch by batch as they come; write the page after the last.

    Args:
        options: of the command.
        signatures: what is served.
        batches: lines of text.

    Yields:
        A text and a record for each line.
    """
    if options.html:
        check_new_file(options.html)
    page = []
    for lines in batches:
        for record in _records(signatures, lines, options.n_best):
            if options.html:
                page.append(Answer(record["words"], record["tags"], record["probabilities"]))
            yield "\n".join([record["text"], *map(_alternative, record.get("n_best", ()))]), record
    if options.html:
        write_page(options.html, page)


def _records(signatures: Signatures, lines: list[str], n: int) -> Iterator[dict[str, Any]]:
    text = tf.constant(lines)
    answer = {key: t.numpy() for key, t in signatures["serving_default"](text=text).items()}
    if n > 1:
        best = signatures["n_best"](text=text, n=tf.constant(n))
        best = {key: tensor.numpy() for key, tensor in best.items()}
    for row, length in enumerate(answer["lengths"]):
        record = {
            "text": answer["text"][row].decode(),
            "words": _strings(answer["words"][row, :length]),
            "tags": _strings(answer["tags"][row, :length]),
            "probabilities": [round(float(p), 4) for p in answer["probabilities"][row, :length]],
        }
        if n > 1:
            record["n_best"] = [
                {"tags": _strings(tags[:length]), "probability": float(probability)}
                for tags, probability in zip(
                    best["tags"][row], best["probabilities"][row], strict=True
                )
                if probability > 0
            ]
        yield record


def _alternative(tagging: dict[str, Any]) -> str:
    return f"  {tagging['probability']:.4f}  {' '.join(tagging['tags'])}"


def _strings(array: np.ndarray) -> list[str]:
    return [item.decode() for item in array]
