"""Answers of `predict`: tagged lines, their alternatives, a page."""

from collections.abc import Iterable, Iterator
from typing import Any

from apps.common.answers import call, strings
from apps.common.app import Answer, Signatures
from apps.common.files import check_new_file
from apps.tagger.config import PredictOptions
from apps.tagger.page import TaggedSentence, write_page


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Tag lines of text batch by batch, and write the page after the last one.

    Yields:
        A text and a record for each line.
    """
    if options.html:
        check_new_file(options.html)
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
            record["n_best"] = [
                {"tags": strings(tags[:length]), "probability": float(probability)}
                for tags, probability in zip(
                    best["tags"][row], best["probabilities"][row], strict=True
                )
                if probability > 0
            ]
        yield record


def _alternative(tagging: dict[str, Any]) -> str:
    return f"  {tagging['probability']:.4f}  {' '.join(tagging['tags'])}"
