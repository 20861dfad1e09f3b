"""`scan` and `custom_gradient` on JAX."""

from collections.abc import Callable
from typing import Any

import jax


def scan(step: Callable, first: Any, sequence: Any, *, reverse: bool = False) -> tuple[Any, Any]:
    """Carry a state along the leading axis: see `seqkit.backend.tensorflow.scan`."""
    return jax.lax.scan(step, first, sequence, reverse=reverse)


def custom_gradient(function: Callable) -> Callable:
    """`function(*args) -> (outputs, gradient)`, with `gradient(outputs' gradients) -> args'`."""
    return jax.custom_gradient(function)
