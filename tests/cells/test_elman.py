import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit import RNN, ElmanCell
from tests.cells import numerics
from tests.reference import bptt, elman


def test_it_computes_the_books_equations():
    rnn = numerics.random_rnn(ElmanCell(3, dtype="float64"), return_sequences=True)
    states = numerics.random_states(rnn.cell)
    w = numerics.arrays(rnn.cell)
    wanted = elman.unfold(
        numerics.RANDOM_INPUTS, *states, U=w["kernel"], W=w["recurrent_kernel"], b=w["bias"]
    )
    found = rnn(numerics.RANDOM_INPUTS, initial_state=states)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_without_a_bias():
    rnn = numerics.random_rnn(ElmanCell(3, use_bias=False, dtype="float64"), return_sequences=True)
    w = numerics.arrays(rnn.cell)
    wanted = elman.unfold(
        numerics.RANDOM_INPUTS, np.zeros((3, 3)), U=w["kernel"], W=w["recurrent_kernel"], b=0
    )
    np.testing.assert_allclose(rnn(numerics.RANDOM_INPUTS), wanted, rtol=1e-12, atol=1e-12)


def test_gradients_equal_finite_differences():
    cell = ElmanCell(3, dtype="float64")
    numerics.assert_gradients_equal_finite_differences(
        numerics.random_rnn(cell, return_sequences=True, return_state=True)
    )


def test_back_propagation_through_time_matches_the_book():
    rnn = numerics.random_rnn(ElmanCell(3, dtype="float64"), return_sequences=True)
    readout = keras.layers.Dense(5, dtype="float64", bias_initializer="normal")
    targets = np.random.default_rng(5).integers(5, size=(3, 5))
    readout(rnn(numerics.RANDOM_INPUTS))
    sources = [rnn.cell.kernel, rnn.cell.recurrent_kernel, rnn.cell.bias, *readout.weights]
    with tf.GradientTape() as tape:
        logits = readout(rnn(numerics.RANDOM_INPUTS))
        losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        loss = tf.reduce_sum(losses)
    found = tape.gradient(loss, [source.value for source in sources])

    # The book's matrices multiply from the left.
    U, W, b, V, c = (keras.ops.convert_to_numpy(source).T for source in sources)
    wanted_loss, wanted = 0, dict.fromkeys("UWbVc", 0)
    for xs, row in zip(numerics.RANDOM_INPUTS, targets, strict=True):
        one, gradients = bptt.loss_and_gradients(xs, row, U=U, W=W, b=b, V=V, c=c)
        wanted_loss += one
        wanted = {name: wanted[name] + gradients[name] for name in wanted}
    np.testing.assert_allclose(loss, wanted_loss, rtol=1e-10)
    for gradient, name in zip(found, "UWbVc", strict=True):
        np.testing.assert_allclose(gradient, wanted[name].T, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.slow
def test_it_learns_to_remember():
    keras.utils.set_random_seed(0)
    assert numerics.accuracy_on_first_symbol(numerics.classifier(ElmanCell(32))) > 0.95


def test_the_output_without_return_sequences_is_the_last():
    cell = ElmanCell(3)
    every, last = RNN(cell, return_sequences=True), RNN(cell)
    inputs = numerics.RANDOM_INPUTS
    np.testing.assert_array_equal(every(inputs)[:, -1], last(inputs))
