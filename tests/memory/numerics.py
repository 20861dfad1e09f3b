"""What the memory cells' tests share: random weights, slopes of a reference, invariants."""

import keras
import numpy as np
import tensorflow as tf

from seqkit import RNN

INPUTS = np.random.default_rng(0).standard_normal((2, 5, 3))  # (batch, time, features)
# What a controller may say at its worst: nothing, or as much as it likes to either side.
EXTREMES = (0.0, 1.0, -1.0, 1e4, -1e4)


def random_rnn(cell, scale=0.7):
    """An `RNN` of the cell, built, all its weights random."""
    rnn = RNN(cell, return_sequences=True, return_state=True)
    rnn(INPUTS.astype("float32"))
    random = np.random.default_rng(1)
    for weight in rnn.weights:
        weight.assign(scale * random.standard_normal(weight.shape))
    return rnn


def feed_forward(units=4):
    """A controller whose equation is a line of NumPy."""
    return keras.layers.Dense(units, activation="tanh")


def weights64(rnn):
    """kernel and bias of a feed-forward controller, then of the interface."""
    cell = rnn.cell
    weights = (*cell.controller.weights, cell.interface_kernel, cell.interface_bias)
    return [keras.ops.convert_to_numpy(w).astype("float64") for w in weights]


def assert_gradients_equal_slopes(rnn, initial_state, unfold):
    """The gradient of every weight, in float32, against finite differences of a float64 reference.

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
            around, middle = [], weight[index]
            for side in (step, -step):
                weight[index] = middle + side
                around.append(reference_loss())
            weight[index] = middle
            slope[index] = (around[0] - around[1]) / (2 * step)
        np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-4, err_msg=source.path)


def walk(cell):
    """Makes a function of what the controller says (time, batch, width).

    It gives the states of the memory, and the gradient by `said` of what was read and written.
    """
    RNN(cell)(INPUTS)

    @tf.function
    def run(said):
        _, state = cell.unpack(cell.get_initial_state(said.shape[1]))
        states, total = [], 0.0
        with tf.GradientTape() as tape:
            tape.watch(said)
            for now in tf.unstack(said):
                state = cell.access(cell.split_interface(now), state)
                states.append(state)
                total += tf.reduce_sum(state.reads) + tf.reduce_sum(tf.sin(state.memory))
        return states, tape.gradient(total, said)

    return run


def assert_weighting(w):
    """Non-negative, and its sum over the last axis at most one."""
    w = np.asarray(w)
    assert np.isfinite(w).all() and w.min() >= 0 and w.sum(-1).max() <= 1 + 1e-5


def bit_errors_of_copying(cell, length=3, bits=4, steps=1000, clipnorm=10.0):
    """Trains `cell` to repeat `length` vectors of bits; the share of wrong bits of new ones."""
    random = np.random.default_rng(4)
    model = keras.Sequential([RNN(cell, return_sequences=True), keras.layers.Dense(bits)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005, clipnorm=clipnorm), loss, jit_compile=True)

    def batch(size):
        """Bits and a flag; the flag rises when the bits are over, and they are due."""
        said = random.integers(2, size=(size, length, bits)).astype("float32")
        x = np.zeros((size, 2 * length, bits + 1), "float32")
        x[:, :length, :bits], x[:, length:, bits] = said, 1.0
        y = np.zeros((size, 2 * length, bits), "float32")
        y[:, length:] = said
        return x, y

    model.fit(*batch(steps * 16), batch_size=16, verbose=0)
    x, y = batch(200)
    wrong = (model.predict(x, verbose=0) > 0) != (y > 0.5)
    return wrong[:, length:].mean()
