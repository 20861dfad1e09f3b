"""Helpers of the CRF tests: compilation and gradients on both backends."""

import keras
from keras import ops


def compiled(function):
    """Compile a function with XLA."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def gradients(loss, *inputs):
    """Return the gradients of the sum of a loss, one for each input."""
    inputs = tuple(map(ops.convert_to_tensor, inputs))
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda *inputs: ops.sum(loss(*inputs)), range(len(inputs)))(*inputs)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = loss(*inputs)
    return tape.gradient(value, inputs)
