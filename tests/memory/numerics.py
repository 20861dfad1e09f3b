"""Helpers of the memory tests: random weights, finite differences, invariants."""

import keras
import numpy as np
import tensorflow as tf

from seqkit import RNN

INPUTS = np.random.default_rng(0).standard_normal((2, 5, 3))  # (batch, time, features)
# Extreme values of the interface.
EXTREMES = (0.0, 1.0, -1.0, 1e4, -1e4)


def random_rnn(cell, scale=0.7):
    """Return a built `RNN` of the cell with random weights."""
    rnn = RNN(cell, return_sequences=True, return_state=True)
    rnn(INPUTS.astype("float32"))
    random = np.random.default_rng(1)
    for weight in rnn.weights:
        weight.assign(scale * random.standard_normal(weight.shape))
    return rnn


def feed_forward(units=4):
    """Return a controller that is one line of NumPy."""
    return keras.layers.Dense(units, activation="tanh")


def weights64(rnn):
    """Return kernel and bias of a feed-forward controller, then of the interface."""
    cell = rnn.cell
    weights = (*cell.controller.weights, cell.interface_kernel, cell.interface_bias)
    return [keras.ops.convert_to_numpy(w).astype("float64") for w in weights]


def assert_gradients_equal_finite_differences(rnn, initial_state, unfold):
    """Check float32 gradients of all weights against finite differences of a float64 reference.

    unfold: (row, weights) -> outputs (time, size) for this row of `INPUTS`.
    """
    scale = np.random.default_rng(3).standard_normal((*INPUTS.shape[:2], rnn.cell.output_size))
    sources = [*rnn.cell.controller.weights, rnn.cell.interface_kernel, rnn.cell.interface_bias]
    with tf.GradientTape() as tape:
        outputs = rnn(INPUTS.astype("float32"), initial_state=initial_state)[0]
        loss = tf.reduce_sum(scale.astype("float32") * outputs)
    gradients = tape.gradient(loss, [w.value for w in sources])

    weights, step = weights64(rnn), 1e-6

    def reference_loss():
        return sum(np.sum(s * unfold(row, weights)) for row, s in enumerate(scale))

    np.testing.assert_allclose(loss, reference_loss(), rtol=1e-4)
    for weight, source, gradient in zip(weights, sources, gradients, strict=True):
        slope = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            losses, middle = [], weight[index]
            for side in (step, -step):
                weight[index] = middle + side
                losses.append(reference_loss())
            weight[index] = middle
            slope[index] = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-4, err_msg=source.path)


def access_steps(cell):
    """Return a function of interfaces (time, batch, width).

    It returns the states of the memory, and the gradient with respect to the interfaces.
    """
    RNN(cell)(INPUTS)

    @tf.function
    def run(interfaces):
        _, state = cell.unpack(cell.get_initial_state(interfaces.shape[1]))
        states, total = [], 0.0
        with tf.GradientTape() as tape:
            tape.watch(interfaces)
            for now in tf.unstack(interfaces):
                state = cell.access(cell.split_interface(now), state)
                states.append(state)
                total += tf.reduce_sum(state.reads) + tf.reduce_sum(tf.sin(state.memory))
        return states, tape.gradient(total, interfaces)

    return run


def assert_weighting(w):
    """Check that w is non-negative and sums to at most one over the last axis."""
    w = np.asarray(w)
    assert np.isfinite(w).all() and w.min() >= 0 and w.sum(-1).max() <= 1 + 1e-5


def bit_errors_of_copying(cell, length=3, bits=4, steps=1000, clipnorm=10.0):
    """Train `cell` to repeat vectors of bits; return the share of wrong bits for new ones."""
    random = np.random.default_rng(4)
    model = keras.Sequential([RNN(cell, return_sequences=True), keras.layers.Dense(bits)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005, clipnorm=clipnorm), loss, jit_compile=True)

    def batch(size):
        """Return bits, then a flag that requests them, and the targets."""
        sequence = random.integers(2, size=(size, length, bits)).astype("float32")
        x = np.zeros((size, 2 * length, bits + 1), "float32")
        x[:, :length, :bits], x[:, length:, bits] = sequence, 1.0
        y = np.zeros((size, 2 * length, bits), "float32")
        y[:, length:] = sequence
        return x, y

    model.fit(*batch(steps * 16), batch_size=16, verbose=0)
    x, y = batch(200)
    wrong = (model.predict(x, verbose=0) > 0) != (y > 0.5)
    return wrong[:, length:].mean()
