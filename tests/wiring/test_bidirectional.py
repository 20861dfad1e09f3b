import keras
import numpy as np
import pytest

from seqkit import RNN, Bidirectional, ElmanCell, GRUCell, LSTMCell

SEQUENCE = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], bool)
ALL = {"return_sequences": True, "return_state": True}
MERGES = {
    "concat": lambda f, b: np.concatenate([f, b], axis=-1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda f, b: (f + b) / 2,
}


def numbers(nest):
    return [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(nest)]


def assert_same(found, wanted):
    found, wanted = numbers(found), numbers(wanted)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("merge_mode", MERGES)
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "masked"])
def test_it_merges_a_forward_and_a_backward_run(mask, merge_mode):
    layer = Bidirectional(RNN(GRUCell(3), return_sequences=True), merge_mode=merge_mode)
    merged = numbers(layer(SEQUENCE, mask=mask))[0]
    forward = numbers(layer.layer(SEQUENCE, mask=mask))[0]
    backward = numbers(layer.backward_layer(SEQUENCE, mask=mask))[0][:, ::-1]
    wanted = MERGES[merge_mode](forward, backward)
    real = np.ones((3, 5, 1), bool) if mask is None else mask[..., None]
    np.testing.assert_allclose(merged, np.where(real, wanted, 0), rtol=1e-5, atol=1e-6)


def test_each_direction_has_its_own_weights():
    layer = Bidirectional(RNN(GRUCell(3)))
    layer(SEQUENCE)
    assert len(layer.trainable_weights) == 6
    assert len({weight.path for weight in layer.weights}) == 6
    forward, backward = (numbers(one.weights[0])[0] for one in (layer.layer, layer.backward_layer))
    assert np.abs(forward - backward).max() > 1e-3


def test_merge_mode_none_returns_both_outputs():
    layer = Bidirectional(RNN(GRUCell(3), return_sequences=True), merge_mode=None)
    forward, backward = layer(SEQUENCE)
    concat = Bidirectional(layer.layer, backward_layer=layer.backward_layer)
    assert_same(concat(SEQUENCE), np.concatenate(numbers([forward, backward]), axis=-1))


@pytest.mark.parametrize("return_sequences", [False, True])
def test_states_are_the_forward_ones_then_the_backward_ones(return_sequences):
    kwargs = {"return_sequences": return_sequences, "return_state": True}
    layer = Bidirectional(
        RNN(LSTMCell(3), **kwargs), backward_layer=RNN(GRUCell(2), go_backwards=True, **kwargs)
    )
    output, *states = layer(SEQUENCE, mask=MASK)
    assert output.shape[-1] == 5
    forward = layer.layer(SEQUENCE, mask=MASK)[1:]
    backward = layer.backward_layer(SEQUENCE, mask=MASK)[1:]
    assert_same(states, [*forward, *backward])


def test_initial_states_are_split_in_the_same_order():
    layer = Bidirectional(RNN(LSTMCell(3)), backward_layer=RNN(GRUCell(2), go_backwards=True))
    given = [SEQUENCE[:, 0, :3], SEQUENCE[:, 1, :3], SEQUENCE[:, 2, :2]]
    merged = layer(SEQUENCE, initial_state=given)
    forward = layer.layer(SEQUENCE, initial_state=given[:2])
    backward = layer.backward_layer(SEQUENCE, initial_state=given[2:])
    assert_same(merged, np.concatenate(numbers([forward, backward]), axis=-1))
    with pytest.raises(ValueError, match="initial_state has 2 tensors; it takes 2 for"):
        layer(SEQUENCE, initial_state=given[:2])


def test_reset_keeps_segments_apart_in_both_directions():
    layer = Bidirectional(RNN(GRUCell(3), return_sequences=True))
    flags = np.zeros((3, 5), bool)
    flags[:, 2] = True
    apart = [numbers(layer(part))[0] for part in (SEQUENCE[:, :2], SEQUENCE[:, 2:])]
    assert_same(layer(SEQUENCE, reset=flags), np.concatenate(apart, axis=1))


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "masked"])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_it_equals_keras_around_the_same_layers(return_state, return_sequences, mask):
    kwargs = {"return_sequences": return_sequences, "return_state": return_state}
    for make in (lambda: RNN(LSTMCell(3), **kwargs), lambda: keras.layers.LSTM(3, **kwargs)):
        ours, theirs = Bidirectional(make()), keras.layers.Bidirectional(make())
        ours(SEQUENCE)
        theirs(SEQUENCE)
        theirs.set_weights(ours.get_weights())
        assert_same(ours(SEQUENCE, mask=mask), theirs(SEQUENCE, mask=mask))


def test_the_mask_is_propagated_with_the_sequence():
    ids = np.array([[3, 1, 0], [0, 2, 0]])
    embedded = keras.layers.Embedding(4, 4, mask_zero=True)(ids)
    outputs = Bidirectional(RNN(GRUCell(3), return_sequences=True))(embedded)
    np.testing.assert_array_equal(outputs._keras_mask, ids != 0)
    last = Bidirectional(RNN(GRUCell(3)))(embedded)
    assert getattr(last, "_keras_mask", None) is None


def test_layers_that_do_not_fit_are_refused():
    backwards = RNN(GRUCell(3), go_backwards=True)
    with pytest.raises(ValueError, match="merge_mode is 'max'; it must be one of"):
        Bidirectional(RNN(GRUCell(3)), merge_mode="max")
    with pytest.raises(ValueError, match="layer must read forwards"):
        Bidirectional(backwards)
    with pytest.raises(ValueError, match="layer must read forwards"):
        Bidirectional(RNN(GRUCell(3)), backward_layer=RNN(GRUCell(3)))
    with pytest.raises(ValueError, match="return_sequences must be the same"):
        Bidirectional(RNN(GRUCell(3), return_sequences=True), backward_layer=backwards)
    with pytest.raises(ValueError, match="needs outputs of the same size"):
        Bidirectional(RNN(ElmanCell(2)), merge_mode="sum", backward_layer=backwards)(SEQUENCE)


def test_streaming_is_refused():
    layer = Bidirectional(RNN(GRUCell(3)))
    with pytest.raises(ValueError, match="can't be streamed"):
        layer.step(SEQUENCE[:, 0], [])
    with pytest.raises(ValueError, match="can't be streamed"):
        Bidirectional(keras.layers.GRU(3, stateful=True))


@pytest.mark.parametrize("time", [5, None])
def test_it_runs_in_time_distributed(time):
    layer = Bidirectional(RNN(GRUCell(2), return_sequences=True))
    sequences = np.stack([SEQUENCE, SEQUENCE[::-1], 2 * SEQUENCE], axis=1)
    inputs = keras.Input((None if time is None else 3, time, 4))
    outputs = keras.layers.TimeDistributed(layer)(inputs)
    assert outputs.shape[-2:] == (time, 4)
    found = numbers(keras.Model(inputs, outputs)(sequences))[0]
    assert_same([found[:, k] for k in range(3)], [layer(sequences[:, k]) for k in range(3)])
