"""Each check can fail: every broken layer here is caught by the property that it breaks."""

import random

import keras
import numpy as np
import pytest
from keras import ops

import seqkit
from seqkit.testing import LAYER_PROPERTIES, check_cell, check_layer
from seqkit.testing.case import Case
from seqkit.testing.under_jax import loads_under_jax

SEQUENCE = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
register = keras.saving.register_keras_serializable("test_testing")


@register
class Sound(keras.layers.Layer):
    """y_t = scale (x_t W) + the mean over the real steps: passes everything."""

    def __init__(self, units=3, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.scale = scale
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, inputs, mask=None):
        projected = ops.matmul(inputs, self.kernel) * self.scale
        if mask is None:
            return projected + ops.mean(projected, axis=1, keepdims=True)
        real = ops.cast(mask, projected.dtype)[..., None]
        count = ops.maximum(ops.sum(real, axis=1, keepdims=True), 1)
        return projected + ops.sum(projected * real, axis=1, keepdims=True) / count

    def get_config(self):
        return {**super().get_config(), "units": self.units, "scale": self.scale}


@register
class OmitsAnArgument(Sound):
    def get_config(self):
        config = super().get_config()
        del config["scale"]
        return config


@register
class OmitsItsName(Sound):
    def get_config(self):
        config = super().get_config()
        del config["name"]
        return config


@register
class ChangesTheCallersConfig(Sound):
    @classmethod
    def from_config(cls, config):
        return cls(config.pop("units"), **config)


@register
class KeepsState(Sound):
    def call(self, inputs, mask=None):
        self.last = super().call(inputs, mask)
        return self.last


@register
class DependsOnEarlierCalls(Sound):
    calls = 0

    def call(self, inputs, mask=None):
        self.calls += 1
        return super().call(inputs, mask) * self.calls


@register
class SharesItsKernel(Sound):
    shared = None

    def build(self, input_shape):
        if SharesItsKernel.shared is None:
            SharesItsKernel.shared = keras.Variable(np.ones((4, 3), "float32"))
        self.kernel = SharesItsKernel.shared


@register
class IgnoresTheMask(Sound):
    def call(self, inputs, mask=None):
        return super().call(inputs)


@register
class DividesByTheLength(Sound):
    """Correct for every row except one without real steps."""

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        projected = ops.matmul(inputs, self.kernel)
        real = ops.cast(mask, projected.dtype)[..., None]
        return projected + ops.sum(projected * real, 1, keepdims=True) / ops.sum(
            real, 1, keepdims=True
        )


@register
class MixesTimeButPropagatesMasks(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs + ops.mean(inputs, axis=1, keepdims=True)


@register
class DeclaresAWrongShape(Sound):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units + 1)


@register
class DeclaresAWrongDtype(Sound):
    def compute_output_spec(self, inputs, mask=None):
        return keras.KerasTensor((*inputs.shape[:-1], self.units), dtype="int32")


@register
class HasAnUnusedWeight(Sound):
    def build(self, input_shape):
        super().build(input_shape)
        self.unused = self.add_weight(shape=(2,), name="unused")


@register
class StopsAGradient(Sound):
    def call(self, inputs, mask=None):
        return ops.stop_gradient(super().call(inputs, mask))


@register
class BuildsItsSubLayerInCall(Sound):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.readout = keras.layers.Dense(self.units)

    def call(self, inputs, mask=None):
        return super().call(self.readout(inputs) @ ops.ones((self.units, 4)), mask)


@register
class IsAlwaysFloat32(Sound):
    def call(self, inputs, mask=None):
        return ops.cast(super().call(inputs, mask), "float32")


@register
class OverflowsHalfFloats(Sound):
    def call(self, inputs, mask=None):
        return super().call(inputs, mask) * 30000 * 30000 / 9e8


@register
class UsesPythonsRandomness(Sound):
    def call(self, inputs, mask=None, training=False):
        noise = random.random() if training else 0.0
        return super().call(inputs, mask) + noise


@register
class UsesItsOwnGenerator(Sound):
    def call(self, inputs, mask=None, training=False):
        noise = np.random.default_rng().standard_normal() if training else 0.0
        return super().call(inputs, mask) + noise


@register
class NeedsTensorFlow(Sound):
    def call(self, inputs, mask=None):
        import tensorflow as tf

        return super().call(inputs, mask) + tf.constant(0, self.compute_dtype)


@register
class CallsNumPy(Sound):
    """Runs eagerly and in a plain graph, but neither under XLA nor from an export."""

    def call(self, inputs, mask=None):
        import tensorflow as tf

        if isinstance(inputs, keras.KerasTensor):
            return super().call(inputs, mask)
        outputs = super().call(inputs, mask)
        same = tf.numpy_function(lambda y: y, [outputs], outputs.dtype)
        return tf.ensure_shape(same, outputs.shape)


@register
class AssumesALength(Sound):
    """A traced call has no static length, and falls back on the one it was tried with."""

    def call(self, inputs, mask=None):
        return super().call(inputs, mask) / (inputs.shape[1] or 5)


class IsNotRegistered(Sound):
    pass


@keras.saving.register_keras_serializable("test_testing", name="Contested")
class LostItsName(Sound):
    pass


@keras.saving.register_keras_serializable("test_testing", name="Contested")
class TookItsName(Sound):
    pass


BROKEN = {
    OmitsAnArgument: "config_round_trips",
    OmitsItsName: "config_round_trips",
    ChangesTheCallersConfig: "config_round_trips",
    DeclaresAWrongShape: "symbolic_output_is_eager_output",
    DeclaresAWrongDtype: "symbolic_output_is_eager_output",
    IsNotRegistered: "registered_name_is_unique",
    LostItsName: "registered_name_is_unique",
    SharesItsKernel: "instances_share_nothing",
    KeepsState: "calls_leave_no_trace",
    DependsOnEarlierCalls: "calls_leave_no_trace",
    UsesPythonsRandomness: "randomness_is_seeded",
    UsesItsOwnGenerator: "randomness_is_seeded",
    StopsAGradient: "every_weight_gets_a_gradient",
    HasAnUnusedWeight: "every_weight_gets_a_gradient",
    IgnoresTheMask: "padding_changes_nothing",
    DividesByTheLength: "padding_changes_nothing",
    MixesTimeButPropagatesMasks: "padding_changes_nothing",
    IsAlwaysFloat32: "half_precision_runs",
    OverflowsHalfFloats: "half_precision_runs",
    BuildsItsSubLayerInCall: "keras_file_reloads",
    CallsNumPy: "trains_with_and_without_jit",
    AssumesALength: "saved_model_matches_layer",
    NeedsTensorFlow: "loads_under_jax",
}


def make(layer_class):
    return layer_class(scale=2.0) if layer_class is OmitsAnArgument else layer_class()


def property_named(name):
    return next(check for check in LAYER_PROPERTIES if check.__name__ == name)


SLOW = ("trains_with_and_without_jit", "saved_model_matches_layer", "loads_under_jax")


@pytest.mark.parametrize(
    "layer_class",
    [
        pytest.param(layer, marks=[pytest.mark.slow] if name in SLOW else [])
        for layer, name in BROKEN.items()
    ],
)
def test_a_broken_layer_is_caught_by_the_property_it_breaks(layer_class):
    name = BROKEN[layer_class]
    with pytest.raises(AssertionError, match=f"^{layer_class.__name__} fails {name}: "):
        check_layer(lambda: make(layer_class), SEQUENCE, properties=[property_named(name)])


def test_every_property_has_a_layer_that_breaks_it():
    assert {check.__name__ for check in LAYER_PROPERTIES} == set(BROKEN.values())


@pytest.mark.slow
def test_a_sound_layer_passes_every_property():
    check_layer(lambda: Sound(scale=2.0), SEQUENCE)


KERAS_LAYERS = {
    "LSTM": (lambda: keras.layers.LSTM(3, return_sequences=True, return_state=True), SEQUENCE),
    "GRU": (lambda: keras.layers.GRU(3, dropout=0.2), SEQUENCE),
    "Embedding": (lambda: keras.layers.Embedding(9, 3), np.array([[1, 2, 8], [0, 3, 3]])),
    "Attention": (
        lambda: keras.layers.Attention(use_scale=True),
        [SEQUENCE, SEQUENCE[:, ::-1].copy()],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_LAYERS)
def test_layers_of_keras_pass(name):
    properties = [check for check in LAYER_PROPERTIES if check is not loads_under_jax]
    check_layer(*KERAS_LAYERS[name], properties=properties)


@pytest.mark.slow
def test_layers_of_keras_load_under_jax():
    loads_under_jax(*(Case(make, inputs) for make, inputs in KERAS_LAYERS.values()))


def test_it_detects_the_nan_that_keras_returns_for_a_row_without_real_steps():
    with pytest.raises(AssertionError, match="padding filling a row are not finite"):
        check_layer(
            keras.layers.GlobalAveragePooling1D,
            SEQUENCE,
            properties=[property_named("padding_changes_nothing")],
        )


def test_arrays_among_the_call_arguments_are_inputs_too():
    states = [SEQUENCE[:, 0, :3], SEQUENCE[:, 1, :3]]
    fast = [check for check in LAYER_PROPERTIES if check.__name__ not in SLOW]
    check_layer(
        lambda: keras.layers.LSTM(3),
        SEQUENCE,
        call_kwargs={"initial_state": states},
        properties=fast,
    )


# Cells


@register
class SoundCell(seqkit.Cell):
    """h_t = tanh(x_t U + h_{t-1})"""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units]
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def project(self, inputs, prepared):
        return ops.matmul(inputs, self.kernel)

    def step(self, projected, states, prepared):
        h = ops.tanh(projected + states[0])
        return h, [h]


class StateSizeIsAnInt(SoundCell):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = 3


class InitialStateHasAnotherSize(SoundCell):
    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, 1), self.compute_dtype)]


class CallIsAnotherStep(SoundCell):
    def call(self, inputs, states, constants=None, training=False):
        output, states = super().call(inputs, states, constants, training)
        return output, [state / 2 for state in states]


class ProjectionUsesOtherSteps(SoundCell):
    def project(self, inputs, prepared):
        projected = super().project(inputs, prepared)
        several = len(inputs.shape) == 3 and inputs.shape[0] > 1
        return projected + ops.mean(projected, axis=0) if several else projected


class UnfoldIgnoresTheMask(SoundCell):
    def unfolds(self, flow, training=False):
        return True

    def unfold(self, projected, states, flow, prepared):
        outputs = []
        for step in ops.unstack(projected, axis=0):
            output, states = self.step(step, states, prepared)
            outputs.append(output)
        return ops.stack(outputs), outputs[-1], states


class StepReturnsAnotherSize(SoundCell):
    def step(self, projected, states, prepared):
        h, _ = super().step(projected, states, prepared)
        return h, [ops.concatenate([h, h], axis=-1)]


BROKEN_CELLS = {
    StateSizeIsAnInt: "sizes_are_plain",
    InitialStateHasAnotherSize: "initial_states_fit",
    CallIsAnotherStep: "call_is_one_step_of_rnn",
    UnfoldIgnoresTheMask: "unfold_is_the_loop",
    ProjectionUsesOtherSteps: "call_composes_its_parts",
}


@pytest.mark.parametrize("cell_class", BROKEN_CELLS)
def test_a_broken_cell_is_caught_by_the_property_it_breaks(cell_class):
    name = BROKEN_CELLS[cell_class]
    with pytest.raises(AssertionError, match=f"^{cell_class.__name__} fails {name}: "):
        check_cell(cell_class, SEQUENCE[:, 0])


@pytest.mark.slow
def test_a_sound_cell_passes():
    check_cell(SoundCell, SEQUENCE[:, 0])
