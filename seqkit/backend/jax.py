"""The backend functions on JAX."""

from collections.abc import Callable, Hashable

import jax
from keras import ops

from seqkit.typing import Nest, Tensor


def scan(
    step: Callable,
    initial: Nest,
    sequence: Nest,
    *,
    reverse: bool = False,
    length: None = None,
) -> tuple[Nest, Nest]:
    """Carry a state along the leading axis; see `seqkit.backend.tensorflow.scan`."""
    return jax.lax.scan(step, initial, sequence, reverse=reverse)


def side_by_side(
    loop: Callable,
    options: Hashable,
    sequences: Nest,
    rows: Nest,
    shared: Nest,
    kept: list | None = None,
) -> tuple[Nest, Nest, list]:
    """Run a loop over time; see `seqkit.backend.tensorflow.side_by_side`."""
    sequences, rows, part = loop(options, sequences, rows, shared, kept[0] if kept else (), None)
    return sequences, rows, [part]


def custom_gradient(function: Callable) -> Callable:
    """Attach a custom backward pass; see `seqkit.backend.tensorflow.custom_gradient`."""

    def with_one_argument(*args: Tensor) -> tuple[Nest, Callable]:
        outputs, gradient = function(*args)
        if isinstance(outputs, (list, tuple)):  # JAX passes their gradients as one tuple
            return outputs, lambda gradients: gradient(*gradients)
        return outputs, gradient

    return jax.custom_gradient(with_one_argument)


def read(weight: Tensor) -> Tensor:
    """Return the value of a weight as a tensor."""
    return ops.convert_to_tensor(weight)


def is_concrete(x: Tensor) -> bool:
    """Return whether the values of a tensor are known: not inside a compiled function."""
    return not isinstance(x, jax.core.Tracer)
