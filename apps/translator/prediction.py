"""Answers of `predict`: translations, alternatives, a picture; and scores of given translations."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.common.answers import call, row, strings
from apps.common.app import Answer, Signatures
from apps.common.errors import UserError
from apps.common.files import PICTURES, check_new_file, save_picture
from apps.translator.config import PredictOptions
from datasets.translation import Pair, read_pair_file

_EOS = "</s>"  # the piece of EOS
_SPACE, _UNKNOWN = "\u2581", "<unk>"  # the pieces of a space and of an unknown character
_BATCH = 64  # pairs of a file that are scored at once


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Translate lines of text, batch by batch; draw the attention of the last one.

    Yields:
        A text and a record for each line: the translation, and below it the alternatives.

    Raises:
        UserError: If more alternatives are requested than the beam has, or a picture can't be
            drawn: the file exists, the model has no attention, or the line is empty.
    """
    _check(options, signatures)
    number, record, weights = 0, None, None
    for lines in batches:
        answers = call(signatures["serving_default"], text=lines)
        alternatives = _n_best(signatures, lines, options.n_best) if options.n_best > 1 else None
        for index, line in enumerate(lines):
            number += 1
            record, weights = _record(row(answers, index)), answers["attention"][index]
            if alternatives:
                record["n_best"] = alternatives[index]
            if options.sample:
                record["samples"] = _samples(signatures, line, number, options)
            _warn(f"line {number}", record)
            yield _text(record), record
    if options.attention and record:
        _draw(options.attention, record, weights)


def score(signatures: Signatures, texts: tuple[str, ...], file: Path | None) -> Iterator[Answer]:
    """Compute the probability of given translations.

    Yields:
        A text and a record for each pair. The text is the log-likelihood of the translation, the
        log-likelihood per piece, and the translation.

    Raises:
        DataError: If the file is missing or malformed.
    """
    pairs = read_pair_file(file) if file else [Pair(*texts)]
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        source, target = zip(*batch, strict=True)
        answers = call(signatures["score"], source=source, target=target)
        for index, pair in enumerate(batch):
            record = _score_record(pair, row(answers, index))
            _warn(f"pair {start + index + 1}", record)
            numbers = f"{record['log_likelihood']:.4f}  {record['per_piece']:.4f}"
            yield f"{numbers}  {pair.target}", record


def _check(options: PredictOptions, signatures: Signatures) -> None:
    beams = signatures["n_best"].structured_outputs["scores"].shape[-1]
    if options.n_best > beams:
        raise UserError(f"n_best is {options.n_best}, but this export has a beam of {beams}")
    if options.attention:
        check_new_file(options.attention, PICTURES)
        # Without attention the memory is a single vector, however long the sentence.
        if signatures["serving_default"].structured_outputs["attention"].shape[-1] == 1:
            raise UserError("this export was trained without attention, so there is none to draw")


def _record(answer: Mapping[str, Any]) -> dict[str, Any]:
    pieces = _pieces(answer["pieces"])
    return {
        "translation": answer["translation"].decode(),
        "score": float(answer["scores"]),
        "pieces": pieces,
        "complete": not pieces or pieces[-1] == _EOS,
        "source_pieces": _pieces(answer["source_pieces"]),
        "cut": bool(answer["cut"]),
    }


def _score_record(pair: Pair, answer: Mapping[str, Any]) -> dict[str, Any]:
    log_likelihood, length = float(answer["log_likelihoods"]), int(answer["lengths"])
    return {
        **pair._asdict(),
        "log_likelihood": log_likelihood,
        "per_piece": log_likelihood / length,
        "pieces": _pieces(answer["pieces"]),
        "log_probabilities": answer["log_probabilities"][:length].tolist(),
        "cut": bool(answer["cut"]),
    }


def _n_best(signatures: Signatures, lines: Sequence[str], n: int) -> list[list[dict[str, Any]]]:
    """Return the n best translations of each line."""
    answers = call(signatures["n_best"], text=lines)
    return [
        [
            {"translation": translation.decode(), "score": float(score)}
            for translation, score in zip(translations[:n], scores[:n], strict=True)
            if np.isfinite(score)  # there may be fewer
        ]
        for translations, scores in zip(answers["translations"], answers["scores"], strict=True)
    ]


def _samples(
    signatures: Signatures, line: str, number: int, options: PredictOptions
) -> list[dict[str, Any]]:
    """Draw translations of a line; they depend on its number, not on the rest of the batch."""
    answers = call(
        signatures["sample"],
        text=[line] * options.sample,
        seed=[options.seed, number],
        temperature=options.temperature,
    )
    drawn = zip(strings(answers["translation"]), answers["scores"].tolist(), strict=True)
    return [{"translation": text, "log_likelihood": log_p} for text, log_p in drawn]


def _text(record: dict[str, Any]) -> str:
    """Format the translation, and one line per alternative."""
    others = [(other["score"], other) for other in record.get("n_best", ())]
    others += [(other["log_likelihood"], other) for other in record.get("samples", ())]
    lines = [f"  {number:.4f}  {other['translation']}" for number, other in others]
    return "\n".join([record["translation"], *lines])


def _warn(place: str, record: dict[str, Any]) -> None:
    """Warn about a source that was cut, and about an incomplete translation."""
    if record.get("source_pieces") and not {*record["source_pieces"]} - {_SPACE, _UNKNOWN}:
        print(
            f"warning: {place}: the model knows none of its characters; the translation means "
            "nothing",
            file=sys.stderr,
        )
    if record["cut"]:
        print(f"warning: {place}: too long; only the beginning is used", file=sys.stderr)
    if not record.get("complete", True):
        print(
            f"warning: {place}: its translation is incomplete after {len(record['pieces'])} "
            "pieces, the maximum of this model",
            file=sys.stderr,
        )


def _draw(path: Path, record: dict[str, Any], weights: np.ndarray) -> None:
    from apps.translator.pictures import attention_map  # imports Matplotlib, only if needed

    source_pieces, pieces = record["source_pieces"], record["pieces"]
    if not pieces or not source_pieces:
        raise UserError("the last line is empty: there is no attention to draw")
    weights = weights[: len(pieces), : len(source_pieces)]
    save_picture(attention_map(source_pieces, pieces, weights), path)


def _pieces(padded: np.ndarray) -> list[str]:
    return strings(piece for piece in padded if piece)
