"""The backend functions on TensorFlow."""

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import cache, partial

import keras
import tensorflow as tf
from keras import ops

from seqkit.typing import Nest, Tensor

# Lengths for which loops are compiled, half a second each; sequences of unknown length are padded
# to the next one, which costs memory, not steps.
_LENGTHS = [16, 32, 64, 128, *sorted(2**k * n for k in range(7, 28) for n in (2, 3))]
_FEWEST_ROWS = 8  # with fewer, a loop over a part of the batch takes as long as over all of it


def scan(
    step: Callable,
    initial: Nest,
    sequence: Nest,
    *,
    reverse: bool = False,
    length: Tensor | None = None,
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
        length: Number of steps to run if not all, a scalar; y is undefined after them.

    Returns:
        The last state, and a nest of tensors (length, ...) with every y.
    """
    flat_sequence = [tf.convert_to_tensor(x) for x in tf.nest.flatten(sequence)]
    static_length = flat_sequence[0].shape[0]
    size = tf.shape(flat_sequence[0])[0] if static_length is None else static_length
    length = size if length is None else length
    reads = [
        tf.TensorArray(x.dtype, size=size, element_shape=x.shape[1:]).unstack(x)
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
        tf.TensorArray(y.dtype, size=size, element_shape=y.shape) for y in tf.nest.flatten(sample)
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


def side_by_side(
    loop: Callable,
    options: Hashable,
    sequences: Nest,
    rows: Nest,
    shared: Nest,
    kept: list | None = None,
) -> tuple[Nest, Nest, list]:
    """Run a loop over time whose rows don't depend on each other, as fast as the machine can.

    In a graph on a CPU, the batch is split into a part for each core, whose loops XLA compiles;
    what surrounds them isn't compiled. A compiled loop uses one core, since its products are small.

    Args:
        loop: `loop(options, sequences, rows, shared, kept, length) -> (sequences, rows, kept)`, a
            function of a module; it runs the first `length` steps by `scan`, all if that is None.
        options: What the loop is compiled for, hashable.
        sequences: A nest of tensors (time, batch, ...).
        rows: A nest of tensors (batch, ...).
        shared: A nest of other tensors.
        kept: What an earlier call kept for this one: a nest of tensors for each part.

    Returns:
        What `loop` returns: nests of tensors (time, batch, ...) and (batch, ...), and `kept`.
    """
    if tf.executing_eagerly() or tf.config.list_logical_devices("GPU") or not _has_xla():
        sequences, rows, part = loop(
            options, sequences, rows, shared, kept[0] if kept else (), None
        )
        return sequences, rows, [part]
    arguments, structure = (sequences, rows, shared, kept or []), None

    @tf.custom_gradient
    def run(*flat: Tensor) -> tuple[list[Tensor], Callable]:
        nonlocal structure
        structure = _run_parts(_compiled(loop, options), *tf.nest.pack_sequence_as(arguments, flat))
        return tf.nest.flatten(structure), _refuse_gradient

    results = run(*tf.nest.flatten(arguments))
    return tf.nest.pack_sequence_as(structure, results)


def _refuse_gradient(*_: Tensor) -> None:
    raise ValueError(
        "RNN: the loops of training have no gradients of gradients and no forward-mode "
        "differentiation; call the model inside `with seqkit.plain_loops():`"
    )


def _run_parts(
    compiled: Callable, sequences: Nest, rows: Nest, shared: Nest, kept: list
) -> tuple[Nest, Nest, list]:
    """Run a compiled loop over each part of the batch; each is a branch of the graph."""
    first = tf.nest.flatten(sequences)[0]
    length = None
    if first.shape[0] is None:
        length = tf.shape(first)[0]
        sequences = tf.nest.map_structure(partial(_pad_time, length=length), sequences)
    batch = tf.shape(first)[1] if first.shape[1] is None else first.shape[1]
    count = _count_parts(first.shape[1])
    # All parts have the same size, so that one compiled loop serves all: the last ones may overlap.
    part = -(-batch // count)
    begins = [k * part if k == 0 else tf.minimum(k * part, batch - part) for k in range(count)]

    def run(k: int) -> tuple[Nest, Nest, Nest]:
        here = slice(begins[k], begins[k] + part)
        return compiled(
            tf.nest.map_structure(lambda x: x[:, here], sequences),
            tf.nest.map_structure(lambda x: x[here], rows),
            shared,
            kept[k] if kept else (),
            length,
        )

    of_sequences, of_rows, kept = zip(*(run(k) for k in range(count)), strict=True)
    overlaps = [k * part - begin for k, begin in enumerate(begins)]

    def join_sequences(*parts: Tensor) -> Tensor:
        parts = [x[:length, n:] for x, n in zip(parts, overlaps, strict=True)]
        return tf.concat(parts, axis=1)

    def join_rows(*parts: Tensor) -> Tensor:
        return tf.concat([x[n:] for x, n in zip(parts, overlaps, strict=True)], axis=0)

    return (
        tf.nest.map_structure(join_sequences, *of_sequences),
        tf.nest.map_structure(join_rows, *of_rows),
        list(kept),
    )


@cache
def _has_xla() -> bool:
    """Return whether TensorFlow was built with XLA, which isn't so on all systems."""
    with tf.init_scope():
        try:
            tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1))
        except tf.errors.OpError:
            return False
    return True


@cache
def _compiled(loop: Callable, options: Hashable) -> Callable:
    """Return the loop compiled by XLA: layers whose sizes are the same share it."""
    return tf.function(partial(loop, options), jit_compile=True, autograph=False)


def _count_parts(batch: int | None) -> int:
    cores = os.cpu_count() or 1
    return max(1, min(cores, 4 if batch is None else batch // _FEWEST_ROWS))


def _pad_time(x: Tensor, length: Tensor) -> Tensor:
    """Pad (time, ...) to the next length for which loops are compiled."""
    lengths = tf.constant(_LENGTHS)
    padding = lengths[tf.searchsorted(lengths, length[None])[0]] - length
    return tf.pad(x, [[0, padding]] + [[0, 0]] * (x.shape.rank - 1))


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


def find_loops(function: Callable, *specs: keras.KerasTensor) -> Counter[str]:
    """Count how the graph of a function runs its loops.

    Args:
        function: It takes a tensor for each spec.
        specs: Shapes and dtypes.

    Returns:
        The numbers of "compiled loop" (a call that XLA compiles), "loop" (an operation of the
        graph), "cuDNN", and "own gradient" (a custom gradient). Bodies of loops are not searched.
    """
    signature = [tf.TensorSpec(spec.shape, spec.dtype) for spec in specs]
    traced = tf.function(function, autograph=False).get_concrete_function(*signature)
    graph = traced.graph.as_graph_def()
    functions = {f.signature.name: f for f in graph.library.function}
    found = Counter()

    def visit(nodes: Iterable) -> None:
        for node in nodes:
            names = [f.name for a in node.attr.values() for f in (a.func, *a.list.func)]
            called = [functions[name] for name in names if name in functions]
            if any(f.attr["_XlaMustCompile"].b for f in called):
                found["compiled loop"] += 1
            elif node.op in ("While", "StatelessWhile"):
                found["loop"] += 1
            else:
                found["cuDNN"] += node.op.startswith("CudnnRNN")
                found["own gradient"] += node.attr["_gradient_op_type"].s.startswith(b"CustomG")
                for f in called:
                    visit(f.node_def)

    visit(graph.node)
    return found
