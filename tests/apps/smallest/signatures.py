"""The export, and the answers of `predict`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.common.answers import call
from apps.common.app import Answer, Export, Signatures
from apps.common.config import PredictOptions
from apps.common.files import read_json
from apps.common.run_folder import load_model
from seqkit.export import Signature
from tests.apps.smallest import NAME, Config, examples
from tests.apps.smallest.data import LABELS, characters


class Classifier(tf.Module):
    """A trained model with its labels: text in, label out."""

    def __init__(self, model: keras.Model, labels: list[str]) -> None:
        super().__init__()
        self.model, self.labels = model, tf.constant(labels)

    def classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classify texts (batch,)."""
        probabilities = tf.nn.softmax(self.model(characters(text), training=False))
        return {
            "label": tf.gather(self.labels, tf.argmax(probabilities, axis=-1)),
            "probability": tf.reduce_max(probabilities, axis=-1),
        }


def export(config: Config, run: Path) -> list[Export]:
    """Describe the export of a run folder: its best model so far."""
    module = Classifier(load_model(run), read_json(run / LABELS))
    text = {"text": tf.TensorSpec([None], tf.string)}
    signature = Signature(lambda text: module.classify(text), text)
    return [
        Export(
            name=NAME,
            module=module,
            signatures={"serving_default": signature},
            examples={"serving_default": [{"text": np.array([*examples(config), ""], object)}]},
            title="Classifier of lines",
            **config.export_facts(NAME),
        )
    ]


def predict(
    options: PredictOptions, signatures: Signatures, batches: Iterable[list[str]]
) -> Iterator[Answer]:
    """Classify lines."""
    for lines in batches:
        answer = call(signatures["serving_default"], text=lines)
        for label, probability in zip(answer["label"], answer["probability"], strict=True):
            record = {"label": label.decode(), "probability": round(float(probability), 4)}
            yield f"{record['label']} ({record['probability']:.2f})", record
