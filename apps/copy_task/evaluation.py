"""How many bits are wrong: of a model in training, and of what is served, by length."""

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from apps.common.app import Evaluation, Signatures, Validation
from apps.common.errors import UserError
from apps.common.report import table
from apps.copy_task.config import Config
from apps.copy_task.data import Batch, Data, checksum
from apps.copy_task.tasks import Sequence, copy_sequence, parse_bits, task
from datasets.algorithmic.tasks import fixed_set
from datasets.formats.lines import DataError, read_lines

METRIC = "wrong bits (bit_errors) and cross-entropy in bits (bits), of a sequence on average"
_BATCH = 100

Size = tuple[int, ...]  # length; of repeat copy length and repeats


class Score(NamedTuple):
    """Of each of some sequences; float64, (sequences,)."""

    bit_errors: np.ndarray
    bits: np.ndarray  # cross-entropy
    target_bits: np.ndarray  # how many there are
    ones: np.ndarray  # among them


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Make what scores a model on the dev sequences of the longest size of training.

    Args:
        config: of the training.
        model: gives logits.
        data: of the training.

    Returns:
        A function that returns `bit_errors`: wrong bits of a sequence; `loss`: cross-entropy of a
        target bit in nats. If the curriculum asks for them, `loss_LENGTH`: cross-entropy of a
        sequence of that length, divided by its steps.
    """

    def predict(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Wrong bits and cross-entropy in nats of each sequence."""
        logits = model.predict_on_batch(batch.inputs).astype("float64")
        weights = batch.weights[..., None].astype("float64")
        # A logit that is no number is wrong, too.
        wrong = ~(logits * (2 * batch.targets - 1) > 0) * weights
        nats = (np.logaddexp(0, logits) - logits * batch.targets) * weights
        return wrong.sum(axis=(1, 2)), nats.sum(axis=(1, 2))

    def validate() -> dict[str, float]:
        wrong, nats = predict(data.dev)
        target_bits = data.dev.weights.sum() * data.output_size
        scores = {"bit_errors": float(wrong.mean()), "loss": float(nats.sum() / target_bits)}
        if config.curriculum == "prediction_gain":
            together = Batch(*map(np.concatenate, zip(*data.of_lengths.values(), strict=True)))
            # The last step of a sequence is its last target.
            steps = data.time - np.argmax(together.weights[:, ::-1], axis=1)
            means = (predict(together)[1] / steps).reshape(len(data.of_lengths), -1).mean(axis=1)
            for length, mean in zip(data.of_lengths, means, strict=True):
                scores[f"loss_{length}"] = float(mean)
        return scores

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score what is served on the fixed sequences of the task, or on those of a file.

    Args:
        config: of the model.
        signatures: what is served.
        folder: of the run or export; nothing is read of it.
        split: `dev` or `test`.
        file: sequences to copy, a line each, instead of the split.

    Returns:
        `bit_errors_SIZE` and `bits_SIZE` of each size, such as 20, or 10x20 of length 10 and 20
        repeats; of a file `bit_errors` and `bits`. Baselines: guessing, which errs in half the
        bits, and zeros.

    Raises:
        UserError: no such split, or a file for another task than copy.
        DataError: the file has something else than bits.
    """
    sets = _of_file(config, file) if file else _of_split(config, split)
    scores = {size: _score(config, signatures, sequences) for size, sequences in sets.items()}
    every = Score(*map(np.concatenate, zip(*scores.values(), strict=True)))
    named = {"": every} if file else {f"_{size_name(size)}": s for size, s in scores.items()}
    return Evaluation(
        metric=METRIC,
        scores=_means(named, bit_errors=lambda s: s.bit_errors, bits=lambda s: s.bits),
        baselines={
            "guessing": _means(
                named, bit_errors=lambda s: s.target_bits / 2, bits=lambda s: s.target_bits
            ),
            # Sure and sometimes wrong, they have an infinite cross-entropy.
            "zeros": _means(named, bit_errors=lambda s: s.ones),
        },
        size={"sequences": len(every.bits), "target bits": int(every.target_bits.sum())},
        checksum=checksum(sequence for sequences in sets.values() for sequence in sequences),
        details=_details(config, scores),
        picture=_picture(config, scores),
    )


def read_sequences(path: Path, bits: int) -> list[np.ndarray]:
    """Read sequences, a line each, of vectors with spaces between: `10110010 01110001`.

    Args:
        path: of the file.
        bits: of a vector.

    Returns:
        Bits (length, bits) of each line, float32.

    Raises:
        DataError: the file is missing or empty, or a line has something else than such vectors.
    """
    sequences = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            sequences.append(parse_bits(line, bits))
        except UserError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
    if not sequences:
        raise DataError(f"{path}: empty; write a sequence a line, of vectors of {bits} bits")
    return sequences


def size_name(size: Size) -> str:
    """Name a size.

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
        raise UserError(f"{file}: sequences of a file are to be copied; the task is {config.task}")
    sequences = sorted(read_sequences(file, config.bits), key=len)
    return {(n,): list(map(copy_sequence, group)) for n, group in groupby(sequences, len)}


def _score(config: Config, signatures: Signatures, sequences: list[Sequence]) -> Score:
    """Score what is served on sequences of one size."""
    due = sequences[0].weights > 0
    target = np.stack([sequence.targets[due] for sequence in sequences])
    inputs = np.stack([sequence.inputs for sequence in sequences])
    if config.task == "copy":  # the server adds the marks and the silence, and cuts out the answer
        name, inputs, due = "bits", target, slice(None)
    else:
        name = "inputs"
    served = signatures["serving_default"]
    batches = [
        served(**{name: tf.constant(inputs[start : start + _BATCH])})["probabilities"].numpy()
        for start in range(0, len(inputs), _BATCH)
    ]
    probabilities = np.concatenate(batches)[:, due].astype("float64")
    return Score(
        # What is no number is wrong, too.
        bit_errors=(~(np.abs(probabilities - target) < 0.5)).sum(axis=(1, 2)).astype("float64"),
        # 23 bits at most: in float32, a probability nearer to 1 is 1.
        bits=np.log2(1 / np.maximum(1 - np.abs(probabilities - target), 2.0**-23)).sum((1, 2)),
        target_bits=np.full(len(target), float(target[0].size)),
        ones=target.sum(axis=(1, 2), dtype="float64"),
    )


def _means(
    named: Mapping[str, Score], **metrics: Callable[[Score], np.ndarray]
) -> dict[str, float]:
    """Average metrics over the sequences of each score; the keys get its name behind them."""
    return {
        f"{metric}{name}": float(of(score).mean())
        for name, score in named.items()
        for metric, of in metrics.items()
    }


def _details(config: Config, scores: Mapping[Size, Score]) -> str:
    """A table of sizes."""
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


def _picture(config: Config, scores: Mapping[Size, Score]) -> Callable[[Path], None]:
    """What draws the errors by length, of repeat copy a curve for each number of repeats."""
    curves: dict[str, dict[int, float]] = {}
    for (length, *repeats), score in scores.items():
        name = config.cell.upper().replace("_", " ") + "".join(f", {n} repeats" for n in repeats)
        curves.setdefault(name, {})[length] = float(score.bit_errors.mean())

    def draw(path: Path) -> None:
        from apps.copy_task.pictures import length_curve  # Matplotlib, only if asked for

        length_curve(path, curves, config.max_length)

    return draw
