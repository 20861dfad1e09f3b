"""Answers of `predict`: the copy of a line of bits, its wrong bits, a picture."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from apps.common.answers import call, row
from apps.common.app import Answer, Signatures
from apps.common.errors import UserError
from apps.common.files import PICTURES, check_new_file, save_picture
from apps.copy_task.config import PredictOptions
from apps.copy_task.tasks import parse_bits

SHOWN = 5  # maximum number of wrong bits to list


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Copy a random sequence, if requested, and lines of bits; draw the last one.

    Yields:
        A text and a record for each sequence.

    Raises:
        UserError: If a line contains anything but bits, the picture exists, or the model was
            trained for a task other than copy.
    """
    serve = signatures["serving_default"]
    if "copy" not in serve.structured_outputs:
        raise UserError("this export was trained for another task; predict supports only copy")
    width = serve.structured_outputs["copy"].shape[-1]
    if options.picture:
        check_new_file(options.picture, PICTURES)
    answer = None
    for name, bits in _sequences(options, batches, width):
        answer = row(call(serve, bits=bits[None]), 0)
        if answer.get("exceeds_memory"):
            slots = answer["read_weighting"].shape[-1]
            print(
                f"warning: {name}: {len(bits)} vectors do not fit into the memory's {slots} slots",
                file=sys.stderr,
            )
        record = _record(bits, answer)
        summary = _summary(record["wrong"], bits.size)
        prefix = f"  {name}: {record['bits']}\n" if name == "random" else ""
        yield f"{prefix}{record['copy']}\n  {summary}", record
    if options.picture and answer:
        from apps.copy_task.pictures import copying  # imports Matplotlib, only if needed

        # Reversed, write weightings come before read weightings.
        arrays = sorted(answer.items(), reverse=True)
        weightings = {key.replace("_", " "): w for key, w in arrays if w.ndim == 3}
        title = f"length {len(bits)}: {summary.partition(':')[0]}"
        figure = copying(bits, answer["probabilities"], weightings, title)
        save_picture(figure, options.picture)


def _sequences(
    options: PredictOptions, batches: Iterable[list[str]], width: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each sequence, with its name for messages."""
    if options.random:
        random = np.random.default_rng(options.seed)
        yield "random", random.integers(0, 2, (options.random, width)).astype("float32")
    lines = (line for batch in batches for line in batch)
    for number, line in enumerate(lines, start=1):
        try:
            yield f"line {number}", parse_bits(line, width)
        except UserError as error:
            raise UserError(f"line {number}: {error}") from None


def _record(bits: np.ndarray, answer: dict[str, np.ndarray]) -> dict[str, Any]:
    wrong = np.argwhere(answer["copy"] != bits) + 1
    return {
        "bits": _text(bits),
        "copy": _text(answer["copy"]),
        "wrong": [{"vector": vector, "bit": bit} for vector, bit in wrong.tolist()],
        "probabilities": answer["probabilities"].astype(float).round(4).tolist(),
        "exceeds_memory": bool(answer.get("exceeds_memory", False)),
    }


def _summary(wrong: list[dict[str, int]], size: int) -> str:
    if not wrong:
        return "copied without error"
    places = [f"vector {place['vector']} bit {place['bit']}" for place in wrong[:SHOWN]]
    if len(wrong) > SHOWN:
        places.append(f"{len(wrong) - SHOWN} more")
    return f"{len(wrong)} of {size} bits wrong: {', '.join(places)}"


def _text(bits: np.ndarray) -> str:
    return " ".join("".join(str(int(bit)) for bit in vector) for vector in bits)
