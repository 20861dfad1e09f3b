"""`scan` and `custom_gradient`, on the current backend."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from seqkit.backend import custom_gradient, scan

X = np.arange(12, dtype="float32").reshape(4, 3)


def gradient(function, x):
    """Compute d sum(function(x)) / dx."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(ops.convert_to_tensor(x)))
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(function(x))
    return tape.gradient(y, x).numpy()


def add(state, x):
    return state + x, {"twice": 2 * (state + x)}


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_carries_a_state_and_collects(reverse):
    last, ys = scan(add, ops.zeros(3), ops.convert_to_tensor(X), reverse=reverse)
    order = X[::-1] if reverse else X
    wanted = 2 * np.cumsum(order, axis=0)
    np.testing.assert_array_equal(last, X.sum(axis=0))
    np.testing.assert_array_equal(ys["twice"], wanted[::-1] if reverse else wanted)


def test_scan_over_no_steps_returns_the_right_shapes():
    last, ys = scan(add, ops.ones(3), ops.convert_to_tensor(X[:0]))
    np.testing.assert_array_equal(last, np.ones(3))
    assert tuple(ys["twice"].shape) == (0, 3)


def test_scan_is_differentiable():
    def product_of_rows(x):
        return scan(lambda p, row: (p * row, ()), ops.ones(3), x)[0]

    x = X + 1
    np.testing.assert_allclose(gradient(product_of_rows, x), x.prod(axis=0) / x, rtol=1e-5)


def test_a_custom_gradient_replaces_the_true_one():
    @custom_gradient
    def square(x):
        return x * x, lambda g: 3 * g

    np.testing.assert_array_equal(gradient(square, X), np.full_like(X, 3))


def test_a_custom_gradient_gets_one_gradient_for_each_output():
    @custom_gradient
    def both(x):
        return (x, 2 * x), lambda g, h: 10 * g + h

    def weighted(x):
        one, other = both(x)
        return one + 5 * other

    np.testing.assert_array_equal(gradient(weighted, X), np.full_like(X, 15))


def test_another_backend_is_refused_with_a_clear_error():
    code = "import keras; keras.backend.backend = lambda: 'torch'; import seqkit"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "set the environment variable KERAS_BACKEND" in done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is that process")
def test_these_tests_pass_on_jax():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
