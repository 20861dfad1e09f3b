"""Checks that a layer is pure, independent of others, seeded, and trained in all its weights."""

import random

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, dtype_of, flipped, walk_attributes, weighted_sum


def symbolic_output_is_eager_output(case: Case) -> None:
    """Symbolic outputs have the shapes and dtypes that the layer really returns."""
    eager = case.call(case.make())
    for dynamic in (False, True):
        symbolic = case.call(case.make(), case.symbols(dynamic))
        keras.tree.assert_same_structure(symbolic, eager)
        pairs = zip(keras.tree.flatten(symbolic), keras.tree.flatten(eager), strict=True)
        for index, (symbol, real) in enumerate(pairs):
            declared = f"output {index}: symbolic {dtype_of(symbol)} {tuple(symbol.shape)}"
            actual = f"eager {dtype_of(real)} {tuple(real.shape)}"
            sizes = list(zip(symbol.shape, real.shape, strict=False))
            fits = len(symbol.shape) == len(real.shape) and all(
                size == true or (dynamic and size is None) for size, true in sizes
            )
            assert fits and dtype_of(symbol) == dtype_of(real), f"{declared}, {actual}"
            assert not dynamic or symbol.shape[0] is None, f"{declared} with an open batch size"


def instances_share_nothing(case: Case) -> None:
    """Training or calling one instance leaves another of the same arguments unchanged."""
    layer, other = case.layer(), case.layer()
    shared = {id(v) for v in layer.variables} & {id(v) for v in other.variables}
    assert not shared, f"{len(shared)} variables belong to both instances: make them in build()"
    before = case.numbers(layer)
    for weight in other.trainable_weights:
        weight.assign(np.zeros(weight.shape, weight.dtype))
    case.call(other, flipped(case.arrays))
    assert_same(case.numbers(layer), before, "outputs before and after using another instance")


def calls_leave_no_trace(case: Case) -> None:
    """A call stores no tensor on the layer and changes no later output: state is explicit."""
    layer = case.layer()
    first = case.numbers(layer)
    case.call(layer, flipped(case.arrays), training=True)
    case.call(layer, case.symbols())
    stored = [
        path
        for path, value in walk_attributes(layer)
        if not isinstance(value, keras.Variable) and keras.ops.is_tensor(value)
    ]
    assert not stored, f"tensors are stored on the layer: {', '.join(stored)}"
    assert_same(case.numbers(layer), first, "outputs of two equal calls")


def randomness_is_seeded(case: Case) -> None:
    """All randomness is from SeedGenerators: traced calls draw again, resumed runs draw the same.

    Random numbers of Python or NumPy would be constants in a traced call.
    """
    layer = case.layer()
    states = layer.non_trainable_variables
    before = [keras.ops.copy(state.value) for state in states]
    outside = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = case.numbers(layer, training=True)
    after = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert after == outside, "the call draws from Python's or NumPy's global random numbers"
    for state, value in zip(states, before, strict=True):
        state.assign(value)
    again = case.numbers(layer, training=True)
    assert_same(again, first, "outputs of two training calls from the same seed state")


def every_weight_gets_a_gradient(case: Case) -> None:
    """Each trainable weight is used: its gradient is finite and not all zero."""
    layer = case.layer()
    if not layer.trainable_weights:
        return
    gradients = case.gradients(layer, weighted_sum)
    for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
        assert gradient is not None, f"no gradient reaches {weight.path}"
        assert np.isfinite(gradient).all(), f"the gradient of {weight.path} is not finite"
        assert np.any(gradient), f"the gradient of {weight.path} is zero"
