"""check_layer: the contract of layers, one function per property, for custom layers too."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

from seqkit.testing.case import Case
from seqkit.testing.contract import (
    calls_leave_no_trace,
    every_weight_gets_a_gradient,
    instances_share_nothing,
    randomness_is_seeded,
    symbolic_output_is_eager_output,
)
from seqkit.testing.padding import padding_changes_nothing
from seqkit.testing.saving import (
    config_round_trips,
    keras_file_reloads,
    registered_name_is_unique,
    saved_model_matches_layer,
)
from seqkit.testing.training import half_precision_runs, trains_with_and_without_jit
from seqkit.testing.under_jax import loads_under_jax
from seqkit.typing import Nest

Property = Callable[[Case], None]

LAYER_PROPERTIES: tuple[Property, ...] = (
    config_round_trips,
    symbolic_output_is_eager_output,
    registered_name_is_unique,
    instances_share_nothing,
    calls_leave_no_trace,
    randomness_is_seeded,
    every_weight_gets_a_gradient,
    padding_changes_nothing,
    half_precision_runs,
    keras_file_reloads,
    trains_with_and_without_jit,
    saved_model_matches_layer,
    loads_under_jax,
)


def check_layer(
    make: Callable[[], keras.layers.Layer],
    inputs: Nest,
    *,
    call_kwargs: dict[str, Any] | None = None,
    sequence: bool = True,
    properties: Iterable[Property] | None = None,
) -> None:
    """Check that a layer is safe to use: it trains, saves, exports, takes padding and half floats.

    Axis 1 of inputs with three or more dimensions, and of integers or flags with two or more, is
    taken as time: the layer must accept any length. If its `call` takes `mask`, masked steps must
    not matter; the same holds if it only declares `supports_masking`.

    A full check takes some seconds: it includes jit, an export and a process with JAX.

    Args:
        make: Makes the layer, a new one at each call, from the same arguments.
        inputs: Any nest of NumPy arrays, batch first: the first argument of the call.
        call_kwargs: Further arguments of the call; arrays among them are inputs too. Lengths that
            are not the sequence's own (a memory's) should differ from it.
        sequence: False if axis 1 is not time, or its size is fixed.
        properties: Properties to check, from `LAYER_PROPERTIES`; all by default. Each is a function
            whose name and docstring state what it requires.

    Raises:
        AssertionError: If a property does not hold; it names the first one and its meaning.

    Example:
        >>> # without the slow ones
        >>> import keras, numpy as np
        >>> from seqkit.testing import LAYER_PROPERTIES, check_layer
        >>> make = lambda: keras.layers.Dense(3)
        >>> check_layer(make, np.ones((2, 4, 5)), properties=LAYER_PROPERTIES[:9])
    """
    case = Case(make, inputs, call_kwargs or {}, sequence)
    for check in LAYER_PROPERTIES if properties is None else properties:
        run_check(check, case)


def run_check(check: Property, case: Any) -> None:
    """Check one property; report any error as a failure of that property."""
    try:
        check(case)
    except Exception as error:
        name = type(case.make()).__name__
        meaning = check.__doc__.splitlines()[0]
        raise AssertionError(f"{name} fails {check.__name__}: {meaning}\n  {error}") from error
