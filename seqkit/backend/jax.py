"""The backend functions on JAX."""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import jax
import keras
from keras import ops

from seqkit.typing import Nest, Tensor

_ANY_SIZE = 8  # of an axis of unknown size, where a function is traced


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


def find_loops(function: Callable, *specs: keras.KerasTensor) -> Counter[str]:
    """Count how a function runs its loops; see `seqkit.backend.tensorflow.find_loops`.

    There is no "compiled loop": Keras compiles the whole step.
    """
    inputs = [
        jax.ShapeDtypeStruct([_ANY_SIZE if n is None else n for n in spec.shape], spec.dtype)
        for spec in specs
    ]
    found = Counter()

    def visit(jaxpr: Any) -> None:
        for equation in jaxpr.eqns:
            name = equation.primitive.name
            found["loop"] += name in ("scan", "while")
            found["cuDNN"] += name.startswith("rnn_")
            found["own gradient"] += name.startswith("custom_vjp")
            if name not in ("scan", "while"):
                for value in jax.tree.leaves(equation.params):
                    inner = getattr(value, "jaxpr", value)
                    if hasattr(inner, "eqns"):
                        visit(inner)

    visit(jax.make_jaxpr(function)(*inputs).jaxpr)
    return found
