"""Sums over 20,000 steps: float32 is right to 1e-5, next to float64 from the same numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit import RNN, GRUCell, LSTMCell, MemoryNetwork, NTMCell, SparseNTMCell, backend
from seqkit.attention import AttentionCell, BahdanauAttention, CoverageAttention, LuongAttention
from seqkit.memory import addressing

STEPS = 20_000
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.standard_normal((1, STEPS, 3)).astype("float32")
MEMORY = RANDOM.standard_normal((1, 7, 5)).astype("float32")
QUERY = RANDOM.standard_normal((1, 3)).astype("float32")
CELLS = {
    "lstm": (lambda dtype: LSTMCell(4, dtype=dtype), ()),
    "gru": (lambda dtype: GRUCell(4, dtype=dtype), ()),
    "coverage": (
        lambda dtype: AttentionCell(GRUCell(4, dtype=dtype), CoverageAttention(4, dtype=dtype)),
        (MEMORY,),
    ),
}
MEMORIES = {
    "ntm": lambda dtype: NTMCell(keras.layers.Dense(4, dtype=dtype), 8, 3, dtype=dtype),
    "sparse": lambda dtype: SparseNTMCell(keras.layers.Dense(4, dtype=dtype), 8, 3, dtype=dtype),
}
LAYERS = {
    "bahdanau": (
        lambda dtype: BahdanauAttention(4, return_weights=True, dtype=dtype),
        (QUERY, INPUTS),
    ),
    "luong": (lambda dtype: LuongAttention("scaled_dot", dtype=dtype), (QUERY, INPUTS)),
    "memory network": (
        lambda dtype: MemoryNetwork(9, 4, max_facts=STEPS, dtype=dtype),
        (RANDOM.integers(1, 9, (1, STEPS, 2)), RANDOM.integers(1, 9, (1, 2))),
    ),
}


def assert_close(found, wanted):
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(wanted), strict=True):
        one, other = (keras.ops.convert_to_numpy(x).astype("float64") for x in (one, other))
        error = np.abs(one - other) / np.maximum(1, np.abs(other))
        assert error.max() < 1e-5, f"{error.max()} of values up to {np.abs(other).max()}"


def cast(x, dtype):
    return tf.constant(x.astype(dtype) if x.dtype.kind == "f" else x)


def in_both(make, call, arrays, **options):
    """Run a call of a layer in float32 and in float64, with the same weights."""
    weights, results = None, []
    for dtype in ("float32", "float64"):
        layer = make(dtype)
        call(layer, *[cast(x[:, :3], dtype) for x in arrays])
        weights = layer.get_weights() if weights is None else weights
        layer.set_weights(weights)
        compiled = tf.function(lambda *x, layer=layer: call(layer, *x), **options)
        results.append(compiled(*[cast(x, dtype) for x in arrays]))
    return results


@pytest.mark.parametrize("cell", CELLS)
def test_states(cell):
    make, constants = CELLS[cell]

    def call(rnn, x):
        memory = [cast(h, rnn.compute_dtype) for h in constants]
        return rnn(x, constants=memory or None)[1:]

    found, wanted = in_both(
        lambda dtype: RNN(make(dtype), return_state=True), call, [INPUTS], jit_compile=True
    )
    if cell == "coverage":
        found, wanted = found[:-1], wanted[:-1]  # the last is the rounding error itself
        assert np.max(wanted[-1]) > 1000
    assert_close(found, wanted)


@pytest.mark.parametrize("layer", LAYERS)
def test_weights_over_many_positions(layer):
    make, arrays = LAYERS[layer]
    assert_close(*in_both(make, lambda layer, *x: layer(*x), arrays))


@pytest.mark.slow
@pytest.mark.parametrize("cell", MEMORIES)
def test_a_memory_after_many_writes(cell):
    results, interfaces = [], None
    for dtype in ("float32", "float64"):
        cell_of_dtype = MEMORIES[cell](dtype)
        RNN(cell_of_dtype)(np.zeros((1, 1, 3)))
        width = cell_of_dtype.interface_bias.shape[0]
        if interfaces is None:
            interfaces = RANDOM.standard_normal((STEPS, 1, width)).astype("float32")

        def step(state, interface, cell=cell_of_dtype):
            return cell.access(cell.split_interface(interface), state), ()

        _, initial = cell_of_dtype.unpack(cell_of_dtype.get_initial_state(1))
        scan = tf.function(
            lambda x, step=step, initial=initial: backend.scan(step, initial, x)[0],
            autograph=False,
            jit_compile=True,
        )
        results.append(scan(cast(interfaces, dtype)))
    assert_close(*results)


def test_usage_precedence_and_links():
    scores = RANDOM.standard_normal((STEPS, 1, 1, 6))
    weighting = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    weighting = (1e-3 * weighting * RANDOM.random((STEPS, 1, 1, 1))).astype("float32")

    def step(state, w):
        usage, precedence, links = state
        links = addressing.temporal_links(links, w, precedence)
        usage = addressing.usage(usage, w, tf.ones_like(w))
        return (usage, addressing.precedence(precedence, w), links), ()

    def states(dtype):
        initial = tuple(tf.zeros(shape, dtype) for shape in ((1, 1, 6), (1, 1, 6), (1, 6, 6)))
        scan = tf.function(lambda w: backend.scan(step, initial, w)[0], autograph=False)
        return scan(cast(weighting, dtype))

    assert_close(states("float32"), states("float64"))


def test_segments_are_counted_exactly():
    rnn = RNN(GRUCell(3))
    last = rnn(INPUTS[:, -1:])
    flags = np.ones((1, STEPS), bool)  # each step starts from the initial state
    compiled = tf.function(lambda x: rnn(x, reset=flags), jit_compile=True)
    np.testing.assert_allclose(compiled(INPUTS), last, rtol=1e-5)
