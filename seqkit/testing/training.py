"""Checks of training: XLA and plain steps agree, half floats stay finite."""

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, dtype_of, flat_arrays, is_floating
from seqkit.typing import Nest, Tensor


def trains_with_and_without_jit(case: Case) -> None:
    """One step of `fit` gives the same finite loss and weights with and without XLA."""
    layer = case.layer()
    model = scalar_model(case.model(layer))
    if model is None or not layer.trainable_variables:
        return
    initial = flat_arrays(layer.variables)  # including the states of seed generators
    losses, after = [], []
    for jit in (False, True):
        for variable, value in zip(layer.variables, initial, strict=True):
            variable.assign(value)
        losses.append(train_step(model, case, jit))
        after.append(flat_arrays(layer.weights))
    assert np.isfinite(losses).all(), f"losses {losses} (without and with jit)"
    if _is_random(case, layer):
        return  # from the same seed, XLA draws other random numbers than TensorFlow
    np.testing.assert_allclose(*losses, rtol=1e-4, err_msg="loss without and with jit")
    assert_same(*after, "weights after one step without and with jit", tolerance=1e-4)


def half_precision_runs(case: Case) -> None:
    """Under mixed float16 and bfloat16 all values are finite, and the first output is half."""
    usual = keras.config.dtype_policy()
    for policy in ("mixed_float16", "mixed_bfloat16"):
        try:
            keras.config.set_dtype_policy(policy)
            layer = case.make()
            outputs = keras.tree.flatten(case.call(layer))
            gradients = case.gradients(layer, _mean_square) if layer.trainable_weights else []
        finally:
            keras.config.set_dtype_policy(usual)
        for index, output in enumerate(filter(is_floating, outputs)):
            # Further outputs may be states that a layer keeps in float32 for precision.
            allowed = {layer.compute_dtype} | ({"float32"} if index else set())
            assert dtype_of(output) in allowed, (
                f"output {index} is {dtype_of(output)} under {policy}, not {layer.compute_dtype}"
            )
        numbers = [*flat_arrays(outputs), *(grad for grad in gradients if grad is not None)]
        finite = all(np.isfinite(number.astype("float32")).all() for number in numbers)
        assert finite, f"outputs or gradients under {policy} are not finite"


def scalar_model(model: keras.Model) -> keras.Model | None:
    """Reduce all outputs of `model` to one number per example; None if no output is floating."""
    total = None
    for output in filter(is_floating, model.outputs):
        square = keras.ops.square(keras.ops.cast(output, "float32") - 0.5)
        mean = keras.ops.mean(square, axis=tuple(range(1, len(output.shape))))
        total = mean if total is None else total + mean
    return None if total is None else keras.Model(model.inputs, keras.ops.expand_dims(total, -1))


def train_step(model: keras.Model, case: Case, jit: bool) -> float:
    """Run one step of `fit` on the case's arrays; return the loss."""
    batch_size = case.arrays[0].shape[0]
    model.compile(keras.optimizers.SGD(0.1), loss="mean_absolute_error", jit_compile=jit)
    assert model.jit_compile is jit, f"jit_compile is {model.jit_compile} after asking for {jit}"
    targets = np.zeros((batch_size, 1), "float32")
    history = model.fit(case.arrays, targets, batch_size=batch_size, verbose=0)
    return history.history["loss"][0]


def _is_random(case: Case, layer: keras.layers.Layer) -> bool:
    """Return whether two training calls differ."""
    first, second = (case.numbers(layer, training=True) for _ in range(2))
    return any(not np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def _mean_square(outputs: Nest) -> Tensor:
    floats = [leaf for leaf in keras.tree.flatten(outputs) if is_floating(leaf)]
    return sum(keras.ops.mean(keras.ops.square(keras.ops.cast(x, "float32"))) for x in floats)
