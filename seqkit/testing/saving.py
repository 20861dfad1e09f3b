"""Checks of saving and loading: config, registered name, `.keras` file, SavedModel."""

import copy
import inspect
import json
import tempfile
from pathlib import Path

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, flat_arrays, walk_attributes


def config_round_trips(case: Case) -> None:
    """A layer made from another's config, with its weights, computes the same."""
    layer = case.layer()
    config = layer.get_config()
    lost = [p.name for p in _arguments(layer) if _is_lost(layer, p, config)]
    assert not lost, f"get_config() lacks the arguments {lost}"
    assert config.get("name") == layer.name, (
        "get_config() lacks the name: start from super().get_config()"
    )

    untouched = copy.deepcopy(config)
    clone = type(layer).from_config(config)
    assert config == untouched, "from_config() changes its caller's dict: use a copy"
    _assert_same_config(clone, layer)

    wanted = case.numbers(layer)
    through_json = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    for twin in (clone, keras.saving.deserialize_keras_object(through_json)):
        case.call(twin)
        twin.set_weights(layer.get_weights())
        assert_same(case.numbers(twin), wanted, "outputs of the layer from config")


def registered_name_is_unique(case: Case) -> None:
    """The class is registered for saving, under a name that no other class uses."""
    for path, value in walk_attributes(case.layer()):
        cls = type(value)
        custom = isinstance(value, keras.layers.Layer) and not cls.__module__.startswith("keras.")
        if not custom:
            continue
        name = keras.saving.get_registered_name(cls)
        assert ">" in name, (
            f"{path}: {cls.__name__} needs @keras.saving.register_keras_serializable(package)"
        )
        holder = keras.saving.get_registered_object(name)
        assert holder is cls, f"{path}: the name {name} is used by {holder}"


def keras_file_reloads(case: Case) -> None:
    """A layer saved as `.keras` is reloaded with every weight, and computes the same."""
    layer = case.layer()
    rebuilt = type(layer).from_config(layer.get_config())
    rebuilt.build_from_config(layer.get_build_config() or {})
    # When reloaded inside another layer, a layer is built by build() alone.
    created = [[(w.name, tuple(w.shape)) for w in one.weights] for one in (rebuilt, layer)]
    assert created[0] == created[1], (
        f"build() creates the weights {created[0]}, a call {created[1]}"
    )

    model = case.model(layer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        reloaded = keras.saving.load_model(path)
    _assert_same_config(reloaded.get_layer(layer.name), layer)
    assert_same(flat_arrays(reloaded(case.arrays)), case.numbers(layer), "outputs after reloading")


def saved_model_matches_layer(case: Case) -> None:
    """The exported SavedModel computes the same, at any batch size and length (TensorFlow)."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    layer = case.layer()
    specs = [
        tf.TensorSpec(case.open_shape(array), array.dtype, name=f"input_{index}")
        for index, array in enumerate(case.arrays)
    ]

    def serve(*arrays: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = keras.tree.flatten(case.call(layer, list(arrays)))
        return {f"output_{index}": output for index, output in enumerate(outputs)}

    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint("serve", serve, input_signature=specs)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        loaded = tf.saved_model.load(folder)
        longer = [np.concatenate([array] * 2) for array in case.arrays]
        longer = [_twice_as_long(case, array) for array in longer]
        for arrays in (case.arrays, longer):
            outputs = loaded.serve(*[tf.constant(array) for array in arrays])
            outputs = [outputs[f"output_{index}"] for index in range(len(outputs))]
            assert_same(flat_arrays(outputs), case.numbers(layer, arrays), "outputs of the export")


def _assert_same_config(found: keras.layers.Layer, wanted: keras.layers.Layer) -> None:
    """Compare configs as JSON, in which they are saved: tuples become lists."""
    found, wanted = found.get_config(), wanted.get_config()
    for key in wanted.keys() | found.keys():
        one, other = (json.dumps(c.get(key, "missing"), sort_keys=True) for c in (wanted, found))
        assert one == other, f"{key} is restored as {other}, not {one}"


def _arguments(layer: keras.layers.Layer) -> list[inspect.Parameter]:
    parameters = inspect.signature(type(layer).__init__).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p for p in parameters if p.kind in named and p.name != "self"]


def _is_lost(layer: keras.layers.Layer, argument: inspect.Parameter, config: dict) -> bool:
    """Return whether an argument is neither in the config nor at its default."""
    if argument.name in config or hasattr(keras.layers.Layer, argument.name):
        return False  # `weights` is an attribute of any layer
    return getattr(layer, argument.name, argument.default) != argument.default


def _twice_as_long(case: Case, array: np.ndarray) -> np.ndarray:
    if case.has_time(array) and array.shape[1] == case.length:
        return np.concatenate([array, array], axis=1)
    return array
