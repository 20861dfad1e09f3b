import keras
import numpy as np
import pytest

from seqkit import RNN, Bidirectional, GRUCell, LSTMCell
from seqkit.wiring import Bridge

RANDOM = np.random.default_rng(0)
STATES = [RANDOM.standard_normal((3, n)).astype("float32") for n in (4, 2)]


def test_each_dense_state_depends_on_all_encoder_states():
    bridge = Bridge([5, 1])
    initial = [keras.ops.convert_to_numpy(s) for s in bridge(STATES)]
    bridge.bias.assign(RANDOM.standard_normal(6))
    W, b = (keras.ops.convert_to_numpy(w) for w in (bridge.kernel, bridge.bias))
    wanted = np.tanh(np.concatenate(STATES, axis=1) @ W + b)
    assert [s.shape for s in initial] == [(3, 5), (3, 1)]
    np.testing.assert_allclose(np.concatenate(bridge(STATES), axis=1), wanted, atol=1e-6)


def test_copy_and_zero():
    for one, other in zip(Bridge([4, 2], how="copy")(STATES), STATES, strict=True):
        np.testing.assert_array_equal(one, other)
    (zero,) = Bridge(7, how="zero")(STATES)
    np.testing.assert_array_equal(zero, np.zeros((3, 7)))


def test_a_bidirectional_encoder_initializes_a_decoder():
    x = RANDOM.standard_normal((3, 5, 4)).astype("float32")
    encoder = Bidirectional(RNN(LSTMCell(3), return_state=True))
    _, *states = encoder(x)
    decoder = RNN(GRUCell(6), return_sequences=True)
    bridge = Bridge(decoder.state_size)
    assert tuple(decoder(x, initial_state=bridge(states)).shape) == (3, 5, 6)
    assert tuple(bridge.kernel.shape) == (12, 6)


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="how is 'linear'; it must be one of"):
        Bridge(3, how="linear")
    for sizes in (0, [3, None], []):
        with pytest.raises(ValueError, match="it must be a positive int, or a list of them"):
            Bridge(sizes)
    with pytest.raises(ValueError, match=r"sizes \[4, 2\] can't be copied to .* \[3\]"):
        Bridge(3, how="copy")(STATES)
