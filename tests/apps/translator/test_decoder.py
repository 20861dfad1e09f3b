"""The decoder computes the same one step at a time as for whole targets."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax

from apps.translator.config import Config
from apps.translator.decoder import Decoder
from apps.translator.model import encoder_of, network
from seqkit import GRUCell

KINDS = [
    {"attention": "none"},
    {"attention": "luong", "cell": "lstm", "layers": 2},
    {"attention": "coverage", "joint": False},
    {"copy": True},
]


@pytest.fixture(params=KINDS, ids=str)
def model(request):
    keras.utils.set_random_seed(0)
    return network(Config(units=8, embedding_size=8, **request.param), 30, 30)


@pytest.fixture
def pieces():
    source, target = np.random.default_rng(0).integers(4, 30, (2, 3, 6)).astype("int32")
    source[1, 4:] = 0
    return {"source": source, "target": target}


def assert_steps_equal(decoder, start, target, logits):
    state, prepared = start
    expected = log_softmax(logits, axis=-1)
    for t in range(target.shape[1]):
        log_p, state = decoder.step(ops.convert_to_tensor(target[:, t]), state, prepared)
        np.testing.assert_allclose(log_p, expected[:, t], rtol=1e-4, atol=1e-5)


def test_steps_equal_teacher_forcing(model, pieces):
    decoder, source = model.get_layer("decoder"), pieces["source"]
    start = decoder.prepare(source, *encoder_of(model)(source))
    assert_steps_equal(decoder, start, pieces["target"], model(pieces))


def test_a_loaded_model_computes_the_same_and_shares_its_embedding(model, pieces, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(pieces), model(pieces))
    assert [w.shape for w in loaded.weights] == [w.shape for w in model.weights]
    decoder, source = loaded.get_layer("decoder"), pieces["source"]
    start = decoder.prepare(source, *encoder_of(loaded)(source))
    assert_steps_equal(decoder, start, pieces["target"], model(pieces))


def test_a_language_model_needs_no_memory(pieces):
    decoder = Decoder(keras.layers.ReversibleEmbedding(30, 4), GRUCell(5))
    logits = decoder(pieces["target"])
    assert logits.shape == (3, 6, 30)
    _, prepared = decoder.prepare()
    start = decoder.cell.get_initial_state(3), prepared
    assert_steps_equal(decoder, start, pieces["target"], logits)
