"""`scan`, `custom_gradient`, `read` and `is_concrete` on TensorFlow."""

from collections.abc import Callable

import tensorflow as tf
from keras import ops

from seqkit.typing import Nest, Tensor


def scan(
    step: Callable, initial: Nest, sequence: Nest, *, reverse: bool = False
) -> tuple[Nest, Nest]:
    """Carry a state along the leading axis of a sequence.

        for t in range(length):  state, y[t] = step(state, x[t])

    Args:
        step: `step(state, x) -> (state, y)`; pure. It is traced twice: once to find the structure
            of y.
        initial: The initial state, a nest of tensors; `step` keeps its structure, shapes and
            dtypes.
        sequence: A nest of tensors (length, ...), all of the same length, which may be 0.
        reverse: Go from the last step to the first; y stays in the order of the sequence.

    Returns:
        The last state, and a nest of tensors (length, ...) with every y.
    """
    flat_sequence = [tf.convert_to_tensor(x) for x in tf.nest.flatten(sequence)]
    static_length = flat_sequence[0].shape[0]
    length = tf.shape(flat_sequence[0])[0] if static_length is None else static_length
    reads = [
        tf.TensorArray(x.dtype, size=length, element_shape=x.shape[1:]).unstack(x)
        for x in flat_sequence
    ]

    def at(read: Callable) -> Tensor:
        return tf.nest.pack_sequence_as(sequence, [read(i) for i in range(len(flat_sequence))])

    # The structure of y must be known before the loop. A step over zeros returns it, even if the
    # length is 0; nothing depends on its values, so a graph prunes it.
    zeros = [tf.zeros(tf.shape(x)[1:], x.dtype) for x in flat_sequence]
    for zero, x in zip(zeros, flat_sequence, strict=True):
        if not tf.executing_eagerly():
            zero.set_shape(x.shape[1:])
    state, sample = step(initial, at(lambda i: zeros[i]))
    if static_length == 0:  # XLA compiles no loop over an empty sequence
        return initial, tf.nest.map_structure(lambda y: tf.zeros_like(y)[None][:0], sample)
    writes = [
        tf.TensorArray(y.dtype, size=length, element_shape=y.shape) for y in tf.nest.flatten(sample)
    ]

    def body(k: Tensor, state: Nest, writes: list) -> tuple:
        t = length - 1 - k if reverse else k
        state, y = step(state, at(lambda i: reads[i].read(t)))
        ys = tf.nest.flatten(y)
        return k + 1, state, [w.write(t, v) for w, v in zip(writes, ys, strict=True)]

    _, last, writes = tf.while_loop(
        lambda k, *_: k < length,
        body,
        (tf.constant(0), initial, writes),
        maximum_iterations=length,  # needed by XLA for the gradient
    )
    # A y that is part of the state has its shape.
    shapes = {
        id(s): i for s, i in zip(tf.nest.flatten(state), tf.nest.flatten(initial), strict=True)
    }
    batch = next((tf.shape(x)[1:2] for x in flat_sequence if x.shape.rank > 1), None)
    ys = [
        _stack(w, shapes.get(id(y)), batch)
        for w, y in zip(writes, tf.nest.flatten(sample), strict=True)
    ]
    for y in ys:
        if not tf.executing_eagerly():
            y.set_shape([static_length, *y.shape[1:]])
    return last, tf.nest.pack_sequence_as(sample, ys)


def _stack(written: tf.TensorArray, like: Tensor | None, batch: Tensor | None) -> Tensor:
    """Stack the elements.

    An empty array doesn't know their shape: it is that of `like`, or has as many rows as a batch.
    """
    shape = written.element_shape
    if tf.executing_eagerly() or shape.is_fully_defined():
        return written.stack()
    if like is not None:
        known = tf.shape(like)
    elif batch is not None and shape.rank and shape[1:].is_fully_defined():
        known = tf.concat([batch, shape[1:]], axis=0)
    else:
        return written.stack()
    return tf.raw_ops.TensorListStack(
        input_handle=written.flow, element_shape=known, element_dtype=written.dtype
    )


def custom_gradient(function: Callable) -> Callable:
    """Attach a custom backward pass to a function.

    Args:
        function: `function(*args) -> (outputs, gradient)`, where `gradient` takes one gradient for
            each output and returns one for each argument.

    Returns:
        `function(*args) -> outputs`.
    """
    return tf.custom_gradient(function)


def read(weight: Tensor) -> Tensor:
    """Return the value of a weight as a tensor that all steps of a loop share.

    A variable read inside a loop is read again at every step, and every copy is kept for the
    backward pass.
    """
    return tf.convert_to_tensor(ops.convert_to_tensor(weight))


def is_concrete(x: Tensor) -> bool:
    """Return whether the values of a tensor are known: not inside a graph."""
    return not tf.is_symbolic_tensor(x)
