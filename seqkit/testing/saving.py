"""What keeping a layer asks: config, `.keras` file, SavedModel, and a name to find it again."""

import copy
import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, to_numpy, walk_attributes


def config_round_trips(case: Case) -> None:
    """A layer made from another's config, with its weights, is the same layer."""
    layer = case.layer()
    config = layer.get_config()
    lost = [p.name for p in _arguments(layer) if _is_lost(layer, p, config)]
    assert not lost, f"get_config() lacks the arguments {lost}"
    assert config.get("name") == layer.name, "get_config() lacks the name: start it from super()'s"

    untouched = copy.deepcopy(config)
    clone = type(layer).from_config(config)
    assert config == untouched, "from_config() changes its caller's dict: let it work on a copy"
    _assert_same_config(clone, layer)

    through_json = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    for twin in (clone, keras.saving.deserialize_keras_object(through_json)):
        case.call(twin)
        twin.set_weights(layer.get_weights())
        assert_same(case.numbers(twin), case.numbers(layer), "outputs of the layer from config")


def registered_name_is_its_own(case: Case) -> None:
    """The class is registered for saving, under a name that no other class has taken over."""
    for path, value in walk_attributes(case.layer()):
        cls = type(value)
        ours = isinstance(value, keras.layers.Layer) and not cls.__module__.startswith("keras.")
        if not ours:
            continue
        name = keras.saving.get_registered_name(cls)
        assert ">" in name, (
            f"{path}: {cls.__name__} needs @keras.saving.register_keras_serializable(package)"
        )
        holder = keras.saving.get_registered_object(name)
        assert holder is cls, f"{path}: the name {name} was taken over by {holder}"


def keras_file_reloads(case: Case) -> None:
    """What is saved as `.keras` comes back with every weight, and answers the same."""
    layer = case.layer()
    rebuilt = type(layer).from_config(layer.get_config())
    rebuilt.build_from_config(layer.get_build_config() or {})
    # A layer inside others is reloaded by build() alone.
    made = [[(w.name, tuple(w.shape)) for w in one.weights] for one in (rebuilt, layer)]
    assert made[0] == made[1], f"build() makes the weights {made[0]}, a call {made[1]}"

    model = case.model(layer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        reloaded = keras.saving.load_model(path)
    _assert_same_config(reloaded.get_layer(layer.name), layer)
    assert_same(to_numpy(reloaded(case.arrays)), case.numbers(layer), "outputs after reloading")


def saved_model_answers_the_same(case: Case) -> None:
    """The exported SavedModel answers like the layer, at any batch size and length (TensorFlow)."""
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
            answers = loaded.serve(*[tf.constant(array) for array in arrays])
            answers = [answers[f"output_{index}"] for index in range(len(answers))]
            assert_same(to_numpy(answers), case.numbers(layer, arrays), "the export's answers")


def _assert_same_config(found: keras.layers.Layer, wanted: keras.layers.Layer) -> None:
    """Compared as JSON, which is how they are saved: shapes come back as lists."""
    found, wanted = found.get_config(), wanted.get_config()
    for key in wanted.keys() | found.keys():
        one, other = (json.dumps(c.get(key, "nothing"), sort_keys=True) for c in (wanted, found))
        assert one == other, f"{key} comes back as {other}, not {one}"


def _arguments(layer: keras.layers.Layer) -> list[inspect.Parameter]:
    parameters = inspect.signature(type(layer).__init__).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p for p in parameters if p.kind in named and p.name != "self"]


def _is_lost(layer: keras.layers.Layer, argument: Any, config: dict) -> bool:
    """Not in the config, and not at its default either; `weights` is an attribute of any layer."""
    if argument.name in config or hasattr(keras.layers.Layer, argument.name):
        return False
    return getattr(layer, argument.name, argument.default) != argument.default


def _twice_as_long(case: Case, array: np.ndarray) -> np.ndarray:
    if case.has_time(array) and array.shape[1] == case.length:
        return np.concatenate([array, array], axis=1)
    return array
