"""A small export with a table, strings in, strings and floats out, and two signatures."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.export import Signature

WORDS = ["the", "cat", "sat"]


class Tagger(tf.Module):
    """Words in, the words and their scores out."""

    def __init__(self):
        super().__init__()
        keys = tf.lookup.KeyValueTensorInitializer(WORDS, tf.range(1, 4))
        self.table = tf.lookup.StaticHashTable(keys, default_value=0)
        self.net = keras.Sequential([keras.layers.Embedding(4, 3), keras.layers.Dense(2)])
        self.net.build((None, None))

    def text(self, text):
        words = tf.strings.split(text).to_tensor()
        scores = self.net(self.table.lookup(words), training=False)
        return {"text": text, "words": words, "scores": scores, "best": tf.argmax(scores, -1)}

    def ids(self, ids):
        return {"scores": self.net(ids, training=False)}


def _export():
    """Return the arguments of `write`, except root."""
    keras.utils.set_random_seed(1)
    tagger = Tagger()
    return {
        "module": tagger,
        "signatures": {
            "serving_default": Signature(tagger.text, {"text": tf.TensorSpec([None], tf.string)}),
            "ids": Signature(tagger.ids, {"ids": tf.TensorSpec([None, None], tf.int32)}),
        },
        "examples": {
            "serving_default": [
                {"text": np.array(["the cat sat", "", "a cat"])},
                {"text": np.array([b"the\0", b"\xff cat", "naïve".encode()], object)},
                {"text": np.zeros([0], object)},
            ],
            "ids": [{"ids": np.array([[0, 1, 3]])}],
        },
        "card": "# Tagger\n",
    }


@pytest.fixture(scope="session")
def make_export():
    return _export


@pytest.fixture
def export():
    return _export()
