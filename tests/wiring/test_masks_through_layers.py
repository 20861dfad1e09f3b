"""A mask reaches our layers through layers of Keras and through ours, inside one another."""

import keras
import numpy as np
import pytest

from seqkit import RNN, Bidirectional, Conditioned, GRUCell, LSTMCell

IDS = np.array([[3, 1, 2, 0, 0], [1, 4, 2, 0, 0]])
ALL_OUTPUTS = {"return_sequences": True}


class OfKeras316(keras.layers.LSTM):
    """A recurrent layer that hands no mask on, as those of Keras 3.16."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_masking = False


def conditioned(x):
    context = keras.layers.Embedding(5, 2)(keras.ops.zeros_like(x[:, 0, 0], "int32"))
    return Conditioned(RNN(GRUCell(3), **ALL_OUTPUTS))(x, context)


THROUGH = {
    "ours": lambda: RNN(LSTMCell(3), **ALL_OUTPUTS),
    "bidirectional": lambda: Bidirectional(RNN(GRUCell(3), **ALL_OUTPUTS)),
    "bidirectional of keras": lambda: keras.layers.Bidirectional(RNN(GRUCell(3), **ALL_OUTPUTS)),
    "keras in bidirectional": lambda: Bidirectional(keras.layers.LSTM(3, **ALL_OUTPUTS)),
    "keras 3.16 in bidirectional": lambda: Bidirectional(OfKeras316(3, **ALL_OUTPUTS)),
    "our cell in keras": lambda: keras.layers.RNN(LSTMCell(3), **ALL_OUTPUTS),
    "keras": lambda: keras.layers.GRU(3, **ALL_OUTPUTS),
    "conditioned": lambda: conditioned,
}


@pytest.mark.parametrize("through", THROUGH)
def test_padding_changes_nothing(through):
    ids = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    between = THROUGH[through]()(embedded)
    last = Bidirectional(RNN(GRUCell(3), **ALL_OUTPUTS))(between)
    model = keras.Model(ids, RNN(LSTMCell(2))(last))
    padded, plain = (keras.ops.convert_to_numpy(model(x)) for x in (IDS, IDS[:, :3]))
    np.testing.assert_allclose(padded, plain, rtol=1e-5, atol=1e-6)


def test_padding_changes_nothing_in_time_distributed():
    ids = keras.Input((2, None), dtype="int32")
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    layer = keras.layers.TimeDistributed(Bidirectional(RNN(GRUCell(3))))
    model = keras.Model(ids, layer(embedded))
    batch = np.stack([IDS, IDS[::-1]], axis=1)
    padded, plain = (keras.ops.convert_to_numpy(model(x)) for x in (batch, batch[..., :3]))
    np.testing.assert_allclose(padded, plain, rtol=1e-5, atol=1e-6)
