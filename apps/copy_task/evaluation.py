"""Wrong bits: of a model in training, and of exported functions, by length."""

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from apps.common.answers import call
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.batching import in_batches
from apps.common.errors import UserError
from apps.common.report import table
from apps.copy_task.config import Config
from apps.copy_task.data import Batch, Data, checksum
from apps.copy_task.tasks import Sequence, copy_sequence, parse_bits, task
from datasets.algorithmic.tasks import fixed_set
from datasets.formats.lines import DataError, read_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRIC = "wrong bits (bit_errors) and cross-entropy in bits (bits), per sequence on average"
_BATCH = 100

Size = tuple[int, ...]  # length; for repeat copy length and repeats


class Score(NamedTuple):
    """Score of each sequence, (sequences,) float64."""

    bit_errors: np.ndarray
    bits: np.ndarray  # cross-entropy
    target_bits: np.ndarray  # number of target bits
    ones: np.ndarray  # number of ones among them


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Return a function that scores a model in training on the dev sequences.

    Args:
        config: Configuration of the training run.
        model: Model that returns logits.
        data: Training data.

    Returns:
        A function that returns `bit_errors`: wrong bits per sequence; `loss`: cross-entropy of a
        target bit in nats; and for the curriculum `prediction_gain` also `loss_LENGTH`:
        cross-entropy of a sequence of that length, divided by its steps.
    """

    def predict(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Return wrong bits and cross-entropy in nats of each sequence."""
        logits = model.predict_on_batch(batch.inputs).astype("float64")
        weights = batch.weights[..., None].astype("float64")
        # NaN counts as wrong.
        wrong = ~(logits * (2 * batch.targets - 1) > 0) * weights
        nats = (np.logaddexp(0, logits) - logits * batch.targets) * weights
        return wrong.sum(axis=(1, 2)), nats.sum(axis=(1, 2))

    def validate() -> dict[str, float]:
        wrong, nats = predict(data.dev)
        target_bits = data.dev.weights.sum() * data.output_size
        scores = {"bit_errors": float(wrong.mean()), "loss": float(nats.sum() / target_bits)}
        if config.curriculum == "prediction_gain":
            merged = Batch(*map(np.concatenate, zip(*data.fixed_batches.values(), strict=True)))
            # A sequence ends with its last target.
            steps = data.time - np.argmax(merged.weights[:, ::-1], axis=1)
            means = (predict(merged)[1] / steps).reshape(len(data.fixed_batches), -1).mean(axis=1)
            for length, mean in zip(data.fixed_batches, means, strict=True):
                scores[f"loss_{length}"] = float(mean)
        return scores

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score exported functions on the fixed sequences of the task, or on lines of a file.

    Returns:
        `bit_errors_SIZE` and `bits_SIZE` for each size, such as 20, or 10x20 for length 10 and 20
        repeats; for a file `bit_errors` and `bits`. Baselines: guessing, which gets half the bits
        wrong, and zeros.

    Raises:
        UserError: If there is no such split, or a file is given and the task is not copy.
        DataError: If the file contains anything but bits.
    """
    sets = _of_file(config, file) if file else _of_split(config, split)
    scores = {size: _score(config, signatures, sequences) for size, sequences in sets.items()}
    all_scores = Score(*map(np.concatenate, zip(*scores.values(), strict=True)))
    by_suffix = (
        {"": all_scores} if file else {f"_{size_name(size)}": s for size, s in scores.items()}
    )
    return Evaluation(
        metric=METRIC,
        scores=_means(by_suffix, bit_errors=lambda s: s.bit_errors, bits=lambda s: s.bits),
        baselines={
            "guessing": _means(
                by_suffix, bit_errors=lambda s: s.target_bits / 2, bits=lambda s: s.target_bits
            ),
            # Zeros are certain and sometimes wrong, so their cross-entropy is infinite.
            "zeros": _means(by_suffix, bit_errors=lambda s: s.ones),
        },
        size={"sequences": len(all_scores.bits), "target bits": int(all_scores.target_bits.sum())},
        checksum=checksum(sequence for sequences in sets.values() for sequence in sequences),
        details=_details(config, scores),
        picture=_picture(config, scores),
    )


def read_sequences(path: Path, bits: int) -> list[np.ndarray]:
    """Read sequences of vectors, one per line: `10110010 01110001`.

    Args:
        path: Path of the file.
        bits: Bits of a vector.

    Returns:
        Bits (length, bits) of each line, float32.

    Raises:
        DataError: If the file is missing or empty, or a line contains anything but such vectors.
    """
    sequences = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            sequences.append(parse_bits(line, bits))
        except UserError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
    if not sequences:
        raise DataError(f"{path}: empty; write one sequence per line, vectors of {bits} bits")
    return sequences


def size_name(size: Size) -> str:
    """Format a size.

    Example:
        >>> size_name((20,)), size_name((10, 20))
        ('20', '10x20')
    """
    return "x".join(map(str, size))


def _of_split(config: Config, split: str) -> dict[Size, list[Sequence]]:
    chosen = task(config)
    try:
        return {size: fixed_set(chosen, split, size) for size in chosen.sizes}
    except ValueError as error:
        raise UserError(str(error)) from None


def _of_file(config: Config, file: Path) -> dict[Size, list[Sequence]]:
    if config.task != "copy":
        raise UserError(f"{file}: only copy can be scored on a file; the task is {config.task}")
    sequences = sorted(read_sequences(file, config.bits), key=len)
    return {(n,): list(map(copy_sequence, group)) for n, group in groupby(sequences, len)}


def _score(config: Config, signatures: Signatures, sequences: list[Sequence]) -> Score:
    """Score exported functions on sequences of one size."""
    is_due = sequences[0].weights > 0
    target = np.stack([sequence.targets[is_due] for sequence in sequences])
    inputs = np.stack([sequence.inputs for sequence in sequences])
    if config.task == "copy":  # the export adds the markers and extracts the answer
        name, inputs, is_due = "bits", target, slice(None)
    else:
        name = "inputs"
    signature = signatures["serving_default"]
    answers = in_batches(
        lambda batch: call(signature, **{name: np.stack(batch)})["probabilities"], inputs, _BATCH
    )
    probabilities = np.stack(answers)[:, is_due].astype("float64")
    return Score(
        # NaN counts as wrong.
        bit_errors=(~(np.abs(probabilities - target) < 0.5)).sum(axis=(1, 2)).astype("float64"),
        # At most 23 bits: float32 rounds a probability closer to 1 to 1.
        bits=np.log2(1 / np.maximum(1 - np.abs(probabilities - target), 2.0**-23)).sum((1, 2)),
        target_bits=np.full(len(target), float(target[0].size)),
        ones=target.sum(axis=(1, 2), dtype="float64"),
    )


def _means(
    by_suffix: Mapping[str, Score], **metrics: Callable[[Score], np.ndarray]
) -> dict[str, float]:
    """Average metrics over the sequences of each score, whose suffix is appended to the keys."""
    return {
        f"{metric}{suffix}": float(of(score).mean())
        for suffix, score in by_suffix.items()
        for metric, of in metrics.items()
    }


def _details(config: Config, scores: Mapping[Size, Score]) -> str:
    """Format a table of sizes."""
    header = ["length", "sequences", "bits each", "wrong", "without error", "cross-entropy"]
    rows = [
        [
            size_name(size),
            str(len(score.bits)),
            f"{score.target_bits[0]:.0f}",
            f"{score.bit_errors.mean():.2f}",
            str(int((score.bit_errors == 0).sum())),
            f"{score.bits.mean():.2f}",
        ]
        for size, score in scores.items()
    ]
    text = table(header, rows)
    longer = [size_name(size) for size in scores if size[0] > config.memory_size]
    if config.task == "copy" and config.cell != "lstm" and longer:
        text += f"\n\nlonger than the memory of {config.memory_size} slots: {', '.join(longer)}"
    return text


def _picture(config: Config, scores: Mapping[Size, Score]) -> "Callable[[], Figure]":
    """Return a function that draws errors by length, one curve per number of repeats."""
    curves: dict[str, dict[int, float]] = {}
    for (length, *repeats), score in scores.items():
        name = config.cell.upper().replace("_", " ") + "".join(f", {n} repeats" for n in repeats)
        curves.setdefault(name, {})[length] = float(score.bit_errors.mean())

    def draw() -> "Figure":
        from apps.copy_task.pictures import length_curve  # imports Matplotlib, only if needed

        return length_curve(curves, config.max_length)

    return draw
