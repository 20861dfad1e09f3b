"""Answers for the reader: translations, their alternatives, a picture; scores of given ones."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from apps.common.app import Signatures
from apps.common.errors import UserError
from apps.common.new_file import PICTURES, check_new_file
from apps.translator.config import PredictOptions
from datasets.translation import Pair, read_pair_file

_END = "</s>"  # what SentencePiece calls EOS
_BATCH = 64  # pairs of a file that are scored at once


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Translate lines of text, batch by batch as they come; draw the attention of the last.

    Args:
        options: of the command.
        signatures: what is served.
        batches: lines of text.

    Yields:
        A text and a record for each line: the translation, and below it its alternatives.

    Raises:
        UserError: the export has fewer beams than are to be shown or no attention to draw, the
            picture exists, or the last line is empty.
    """
    _check(options, signatures)
    number, shown = 0, None
    for lines in batches:
        answer = _numpy(signatures["serving_default"](text=tf.constant(lines)))
        alternatives = _n_best(signatures, lines, options.n_best) if options.n_best > 1 else None
        for row, line in enumerate(lines):
            number += 1
            record = _record(answer, row)
            if alternatives:
                record["n_best"] = alternatives[row]
            if options.sample:
                record["samples"] = _samples(signatures, line, number, options)
            if record["cut"]:
                _warn_of_cut(f"line {number}")
            if not record["complete"]:
                print(
                    f"warning: line {number}: its translation would go on after "
                    f"{len(record['pieces'])} pieces, the longest that this model writes",
                    file=sys.stderr,
                )
            yield _text(record), record
            shown = record, answer["attention"][row]
    if options.attention and shown:
        _draw(options.attention, *shown)


def score(
    signatures: Signatures, texts: tuple[str, ...], file: Path | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tell how probable given translations are.

    Args:
        signatures: what is served.
        texts: a sentence and its translation, if there is no file.
        file: tab-separated pairs.

    Yields:
        A text and a record for each pair. The text is the log-likelihood of the translation, the
        same divided by the number of its pieces, and the translation.

    Raises:
        DataError: the file is missing or malformed.
    """
    pairs = read_pair_file(file) if file else [Pair(*texts)]
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        source, target = (tf.constant(side) for side in zip(*batch, strict=True))
        answer = _numpy(signatures["score"](source=source, target=target))
        for row, (pair, length) in enumerate(zip(batch, answer["lengths"], strict=True)):
            if answer["cut"][row]:
                _warn_of_cut(f"pair {start + row + 1}")
            log_likelihood = float(answer["log_likelihoods"][row])
            record = {
                **pair._asdict(),
                "log_likelihood": log_likelihood,
                "per_piece": log_likelihood / int(length),
                "pieces": _strings(answer["pieces"][row]),
                "log_probabilities": answer["log_probabilities"][row, :length].tolist(),
                "cut": bool(answer["cut"][row]),
            }
            yield f"{log_likelihood:.4f}  {record['per_piece']:.4f}  {pair.target}", record


def _check(options: PredictOptions, signatures: Signatures) -> None:
    beams = signatures["n_best"].structured_outputs["scores"].shape[-1]
    if options.n_best > beams:
        raise UserError(f"n_best is {options.n_best}, but this export keeps {beams} in sight")
    if options.attention:
        check_new_file(options.attention, PICTURES)
        # Without attention the memory is a single vector, however long the sentence.
        if signatures["serving_default"].structured_outputs["attention"].shape[-1] == 1:
            raise UserError("this export was trained without attention: there is none to draw")


def _record(answer: Mapping[str, np.ndarray], row: int) -> dict[str, Any]:
    pieces = _strings(answer["pieces"][row])
    return {
        "translation": answer["translation"][row].decode(),
        "score": float(answer["scores"][row]),
        "pieces": pieces,
        "complete": not pieces or pieces[-1] == _END,
        "source_pieces": _strings(answer["source_pieces"][row]),
        "cut": bool(answer["cut"][row]),
    }


def _n_best(signatures: Signatures, lines: Sequence[str], n: int) -> list[list[dict[str, Any]]]:
    """The best translations of each line."""
    answer = _numpy(signatures["n_best"](text=tf.constant(lines)))
    return [
        [
            {"translation": translation.decode(), "score": float(score)}
            for translation, score in zip(translations[:n], scores[:n], strict=True)
            if np.isfinite(score)  # there may be fewer
        ]
        for translations, scores in zip(answer["translations"], answer["scores"], strict=True)
    ]


def _samples(
    signatures: Signatures, line: str, number: int, options: PredictOptions
) -> list[dict[str, Any]]:
    """Chance translations of a line; whatever stands beside it in a batch, they are the same."""
    answer = _numpy(
        signatures["sample"](
            text=tf.fill([options.sample], line),
            seed=tf.constant([options.seed, number]),
            temperature=tf.constant(options.temperature),
        )
    )
    return [
        {"translation": translation.decode(), "log_likelihood": float(log_likelihood)}
        for translation, log_likelihood in zip(answer["translation"], answer["scores"], strict=True)
    ]


def _text(record: dict[str, Any]) -> str:
    """The translation, and a line for each alternative."""
    others = [(other["score"], other) for other in record.get("n_best", ())]
    others += [(other["log_likelihood"], other) for other in record.get("samples", ())]
    lines = [f"  {number:.4f}  {other['translation']}" for number, other in others]
    return "\n".join([record["translation"], *lines])


def _draw(path: Path, record: dict[str, Any], weights: np.ndarray) -> None:
    from apps.translator.pictures import attention_picture  # Matplotlib, only if asked for

    source_pieces, pieces = record["source_pieces"], record["pieces"]
    if not pieces or not source_pieces:
        raise UserError("the last line is empty: there is no attention to draw")
    weights = weights[: len(pieces), : len(source_pieces)]
    attention_picture(path, source_pieces, pieces, weights)


def _warn_of_cut(where: str) -> None:
    print(f"warning: {where}: too long; only the beginning is read", file=sys.stderr)


def _numpy(answer: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in answer.items()}


def _strings(pieces: np.ndarray) -> list[str]:
    return [piece.decode() for piece in pieces if piece]
