"""check_layer: what every layer must hold, one function a property, usable on one's own layers."""

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
    registered_name_is_its_own,
    saved_model_answers_the_same,
)
from seqkit.testing.training import half_precision_runs, trains_with_and_without_jit
from seqkit.testing.under_jax import loads_under_jax
from seqkit.typing import Tensor

Property = Callable[[Case], None]

LAYER_PROPERTIES: tuple[Property, ...] = (
    config_round_trips,
    symbolic_output_is_eager_output,
    registered_name_is_its_own,
    instances_share_nothing,
    calls_leave_no_trace,
    randomness_is_seeded,
    every_weight_gets_a_gradient,
    padding_changes_nothing,
    half_precision_runs,
    keras_file_reloads,
    trains_with_and_without_jit,
    saved_model_answers_the_same,
    loads_under_jax,
)


def check_layer(
    make: Callable[[], keras.layers.Layer],
    inputs: Tensor,
    *,
    call_kwargs: dict[str, Any] | None = None,
    sequence: bool = True,
    properties: Iterable[Property] | None = None,
) -> None:
    """Checks that a layer is safe to use: it trains, saves, exports, takes padding and half floats.

    Axis 1 of inputs of three or more dimensions, and of whole numbers or flags of two or more, is
    taken for time: the layer must accept any length. If its `call` takes `mask`, steps masked by it
    must not matter; so too if it only declares `supports_masking`.

    Takes some seconds: all of it is checked, jit, an export and a process with JAX included.

    Example, without these:

    Example:
        >>> import keras, numpy as np
        >>> from seqkit.testing import LAYER_PROPERTIES, check_layer
        >>> make = lambda: keras.layers.Dense(3)
        >>> check_layer(make, np.ones((2, 4, 5)), properties=LAYER_PROPERTIES[:9])

    Args:
        make: makes the layer, a new one at each call, from the same arguments.
        inputs: any nest of NumPy arrays, batch first: the first argument of the call.
        call_kwargs: further arguments of the call; arrays among them are inputs too. Lengths that
            are not the sequence's own (a memory's) should differ from it.
        sequence: False if axis 1 is not time, or not free to vary.
        properties: those to check, from `LAYER_PROPERTIES`; all by default. Each is a function
            whose name and docstring say what it asks.

    Raises:
        AssertionError: naming the first property that does not hold, and what that means.
    """
    case = Case(make, inputs, call_kwargs or {}, sequence)
    for check in LAYER_PROPERTIES if properties is None else properties:
        run_check(check, case)


def run_check(check: Property, case: Any) -> None:
    """Checks one property; whatever goes wrong is told as that property's failure."""
    try:
        check(case)
    except Exception as error:
        name = type(case.make()).__name__
        meaning = check.__doc__.splitlines()[0]
        raise AssertionError(f"{name} fails {check.__name__}: {meaning}\n  {error}") from error
