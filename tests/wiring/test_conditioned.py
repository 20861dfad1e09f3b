import keras
import numpy as np
import pytest

from seqkit import RNN, Bidirectional, ElmanCell, GRUCell
from seqkit.attention import AttentionCell, LuongAttention
from seqkit.wiring import Conditioned

RANDOM = np.random.default_rng(0)
SEQUENCE = RANDOM.standard_normal((3, 5, 4)).astype("float32")
CONTEXT = RANDOM.standard_normal((3, 2)).astype("float32")
ALL = {"return_sequences": True, "return_state": True}


@pytest.mark.parametrize("by", ["input", "state", "both"])
def test_it_computes_the_books_equation(by):
    layer = Conditioned(RNN(ElmanCell(3), return_sequences=True), by=by)
    found = layer(SEQUENCE, CONTEXT)
    cell = layer.rnn.cell
    kernel, W, b = (keras.ops.convert_to_numpy(w) for w in cell.weights)
    U, R = kernel[:4], kernel[4:]
    h = np.zeros((3, 3))
    if by != "input":
        V, d = (keras.ops.convert_to_numpy(w) for w in layer.bridge.weights)
        h = np.tanh(CONTEXT @ V + d)
    for t in range(5):
        a = b + h @ W + SEQUENCE[:, t] @ U
        h = np.tanh(a if by == "state" else a + CONTEXT @ R)
        np.testing.assert_allclose(found[:, t], h, rtol=1e-5, atol=1e-6)


def test_keras_and_bidirectional_layers_can_be_conditioned():
    outputs = Conditioned(keras.layers.LSTM(3, **ALL))(SEQUENCE, CONTEXT)
    assert [tuple(x.shape) for x in outputs] == [(3, 5, 3), (3, 3), (3, 3)]
    both = Bidirectional(RNN(GRUCell(3), return_sequences=True))
    assert tuple(Conditioned(both, by="input")(SEQUENCE, CONTEXT).shape) == (3, 5, 6)


def test_the_mask_is_propagated():
    ids = np.array([[3, 1, 0], [0, 2, 0], [1, 1, 1]])
    embedded = keras.layers.Embedding(4, 4, mask_zero=True)(ids)
    outputs = Conditioned(RNN(GRUCell(3), return_sequences=True))(embedded, CONTEXT)
    np.testing.assert_array_equal(outputs._keras_mask, ids != 0)


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="by is 'output'; it must be one of"):
        Conditioned(RNN(GRUCell(3)), by="output")
    with pytest.raises(ValueError, match=r"the shape of context is .* one vector per row"):
        Conditioned(RNN(GRUCell(3)))(SEQUENCE, SEQUENCE)
    attending = RNN(AttentionCell(GRUCell(3), LuongAttention("general")))
    for rnn in (attending, Bidirectional(RNN(GRUCell(3)))):
        with pytest.raises(ValueError, match="has states of unknown size"):
            Conditioned(rnn, by="state")
