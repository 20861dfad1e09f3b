"""Helpers of the cell tests: random weights, finite differences, and a task for memory."""

import keras
import numpy as np
import tensorflow as tf

from seqkit import RNN

RANDOM_INPUTS = np.random.default_rng(0).standard_normal((3, 5, 4))  # (batch, time, features)


def random_rnn(cell, **kwargs):
    """Build an `RNN` of the cell with random weights."""
    rnn = RNN(cell, **kwargs)
    rnn(RANDOM_INPUTS)
    random = np.random.default_rng(1)
    for weight in rnn.weights:
        weight.assign(0.5 * random.standard_normal(weight.shape))
    return rnn


def arrays(cell):
    """Return the cell's weights by name."""
    return {weight.name: keras.ops.convert_to_numpy(weight) for weight in cell.weights}


def random_states(cell):
    random = np.random.default_rng(2)
    return [random.standard_normal((len(RANDOM_INPUTS), size)) for size in cell.state_size]


def assert_gradients_equal_finite_differences(rnn, states=None):
    """Check every element of all weights, the inputs and the initial states, in float64."""
    weights = np.random.default_rng(3)
    inputs = tf.Variable(RANDOM_INPUTS)
    states = [tf.Variable(state) for state in states or random_states(rnn.cell)]
    sources = [weight.value for weight in rnn.trainable_weights] + [inputs, *states]
    outputs = rnn(inputs, initial_state=states)
    scale = [weights.standard_normal(output.shape) for output in outputs]

    @tf.function
    def loss():
        outputs = rnn(inputs, initial_state=states)
        return sum(tf.reduce_sum(s * y) for s, y in zip(scale, outputs, strict=True))

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, sources)

    step = 1e-5
    for source, gradient in zip(sources, gradients(), strict=True):
        point = source.numpy()
        difference = np.zeros_like(point)
        for index in np.ndindex(point.shape):
            around = []
            for side in (step, -step):
                moved = point.copy()
                moved[index] += side
                source.assign(moved)
                around.append(loss().numpy())
            difference[index] = (around[0] - around[1]) / (2 * step)
        source.assign(point)
        np.testing.assert_allclose(
            gradient.numpy(), difference, rtol=1e-6, atol=1e-8, err_msg=source.name
        )


def accuracy_on_first_symbol(model, steps=300, time=10, symbols=4):
    """Train `model` to predict the first of `time` symbols; return the accuracy on new ones."""
    random = np.random.default_rng(4)
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), "sparse_categorical_crossentropy")
    one_hot = np.eye(symbols, dtype="float32")

    def batch(size):
        read = random.integers(symbols, size=(size, time))
        return one_hot[read], read[:, 0]

    model.fit(*batch(steps * 32), batch_size=32, verbose=0)
    sequences, first = batch(500)
    return np.mean(model.predict(sequences, verbose=0).argmax(-1) == first)


def classifier(cell, symbols=4):
    return keras.Sequential([RNN(cell), keras.layers.Dense(symbols, activation="softmax")])
