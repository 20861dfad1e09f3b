"""`scan`, `custom_gradient` and `read` on JAX."""

from collections.abc import Callable
from typing import Any

import jax
from keras import ops

from seqkit.typing import Nest, Tensor


def scan(
    step: Callable, first: Nest, sequence: Nest, *, reverse: bool = False
) -> tuple[Tensor, Tensor]:
    """Carry a state along the leading axis: see `seqkit.backend.tensorflow.scan`."""
    return jax.lax.scan(step, first, sequence, reverse=reverse)


def custom_gradient(function: Callable) -> Callable:
    """`function(*args) -> (outputs, gradient)`, with `gradient(*outputs' gradients) -> args'`."""

    def with_one_argument(*args: Any) -> tuple[Tensor, Callable]:
        outputs, gradient = function(*args)
        if isinstance(outputs, (list, tuple)):  # JAX hands their gradients on as one
            return outputs, lambda gradients: gradient(*gradients)
        return outputs, gradient

    return jax.custom_gradient(with_one_argument)


def read(weight: Tensor) -> Tensor:
    """What a weight holds, as a tensor."""
    return ops.convert_to_tensor(weight)
