"""Accuracy: of a model in training, and of the exported function."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.common.answers import call, strings
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.batching import in_batches
from apps.common.splits import checksum
from datasets.formats.pairs import read_pair_file
from tests.apps.smallest import Config
from tests.apps.smallest.data import Data, characters, read_split


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Return a function that scores a model in training on the dev lines."""
    gold, texts = zip(*data.dev, strict=True)
    inputs, labels = characters(tf.constant(texts)), np.array(data.vocabulary)

    def validate() -> dict[str, float]:
        return _score(gold, labels[np.argmax(model.predict_on_batch(inputs), axis=-1)])

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score the exported function on a split, or on the lines of a file."""
    lines = read_pair_file(file) if file else read_split(config, split)
    gold, texts = zip(*lines, strict=True)
    serve = signatures["serving_default"]
    predicted = in_batches(lambda batch: strings(call(serve, text=batch)["label"]), texts, key=len)
    majority = Counter(gold).most_common(1)[0][0]
    return Evaluation(
        metric="accuracy in percent",
        scores=_score(gold, predicted),
        baselines={"majority label": _score(gold, [majority] * len(gold))},
        size={"lines": len(lines)},
        checksum=checksum(lines),
    )


def _score(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    return {"accuracy": 100 * float(np.mean(np.array(gold) == np.array(predicted)))}
