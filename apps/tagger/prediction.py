"""Answers of `predict`: tagged lines, their alternatives, a page."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from apps.common.answers import call, strings
from apps.common.app import Answer, Signatures
from apps.common.files import PAGES, check_new_file
from apps.tagger.config import PredictOptions
from apps.tagger.page import TaggedSentence, write_page
from datasets.formats.lines import warn


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Tag lines of text batch by batch, and write the page after the last one.

    Yields:
        A text and a record for each line.
    """
    if options.html:
        check_new_file(options.html, PAGES)
        if options.n_best > 1:
            warn("the page shows the best tagging alone; --json prints the others")
    page = []
    for lines in batches:
        for record in _records(signatures, lines, options.n_best):
            if options.html:
                page.append(TaggedSentence(*(record[name] for name in TaggedSentence._fields)))
            yield "\n".join([record["text"], *map(_alternative, record.get("n_best", ()))]), record
    if options.html:
        write_page(options.html, page)


def _records(signatures: Signatures, lines: list[str], n: int) -> Iterator[dict[str, Any]]:
    answer = call(signatures["serving_default"], text=lines)
    if n > 1:
        best = call(signatures["n_best"], text=lines, n=n)
    for row, length in enumerate(answer["lengths"]):
        record = {
            "text": answer["text"][row].decode(),
            "words": strings(answer["words"][row, :length]),
            "tags": strings(answer["tags"][row, :length]),
            "probabilities": [round(float(p), 4) for p in answer["probabilities"][row, :length]],
        }
        if n > 1:
            record["n_best"] = _alternatives({k: v[row] for k, v in best.items()}, length)
        yield record


def _alternatives(answer: dict[str, np.ndarray], length: int) -> list[dict[str, Any]]:
    """Return the n best taggings of a sentence; there may be fewer than n."""
    probabilities = answer["probabilities"].astype(float)
    if "log_probabilities" in answer:
        log_probabilities = answer["log_probabilities"].astype(float)
        exists = log_probabilities > -1e8
        probabilities = np.exp(log_probabilities)
    else:  # an older export, in which long sentences have probabilities of 0
        # If there are fewer than n taggings, the best one has more than 1 / n.
        exists = (probabilities > 0) | (probabilities[0] < 1 / len(probabilities))
        log_probabilities = [math.log(p) if p else None for p in probabilities]
    return [
        {"tags": strings(tags[:length]), "probability": p, "log_probability": log_p}
        for tags, p, log_p in zip(
            answer["tags"][exists],
            probabilities[exists].tolist(),
            np.array(log_probabilities, object)[exists].tolist(),
            strict=True,
        )
    ]


def _alternative(tagging: dict[str, Any]) -> str:
    return f"  {_probability(tagging)}  {' '.join(tagging['tags'])}"


def _probability(tagging: dict[str, Any]) -> str:
    """Write a probability, also one that is too small for four digits or for a float.

    Example:
        >>> _probability({"probability": 0.25, "log_probability": -1.3863})
        '0.2500'
        >>> _probability({"probability": 0.0, "log_probability": -2300.5})
        'exp(-2300.5)'
    """
    probability, log_probability = tagging["probability"], tagging["log_probability"]
    if probability >= 1e-4 or log_probability is None:
        return f"{probability:.4f}"
    return f"{probability:.1e}" if probability > 1e-99 else f"exp({log_probability:.1f})"
