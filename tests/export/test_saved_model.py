"""Files that `write` creates, and arguments that it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from seqkit.export import Signature, write

IDS = tf.TensorSpec([None, None], tf.int32)
TEXT = tf.TensorSpec([None], tf.string)


def functions(version):
    """Return the functions of a saved graph."""
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    return saved.meta_graphs[0].graph_def.library.function


def must_compile(version):
    """Return the names of the functions in a saved graph that must be compiled by XLA."""
    return [f.signature.name for f in functions(version) if f.attr["_XlaMustCompile"].b]


def test_signatures_have_the_given_names_types_and_shapes(tmp_path, export):
    path = write(tmp_path / "tagger", **export)
    assert path == tmp_path / "tagger" / "1"
    loaded = tf.saved_model.load(path)
    assert set(loaded.signatures) == {"serving_default", "ids"}
    text = loaded.signatures["serving_default"]
    assert text.structured_input_signature == (
        (),
        {"text": tf.TensorSpec([None], tf.string, "text")},
    )
    assert text.structured_outputs == {
        "text": tf.TensorSpec([None], tf.string, "text"),
        "words": tf.TensorSpec([None, None], tf.string, "words"),
        "scores": tf.TensorSpec([None, None, 2], tf.float32, "scores"),
        "best": tf.TensorSpec([None, None], tf.int64, "best"),
    }
    ids = loaded.signatures["ids"]
    assert ids.structured_input_signature[1] == {
        "ids": tf.TensorSpec([None, None], tf.int32, "ids")
    }
    for shape in [(1, 1), (3, 7), (0, 2)]:  # dynamic batch and length
        assert ids(ids=tf.zeros(shape, tf.int32))["scores"].shape == (*shape, 2)


def test_text_and_ids_agree_with_the_model(tmp_path, export):
    loaded = tf.saved_model.load(write(tmp_path, **export))
    got = loaded.signatures["serving_default"](text=tf.constant(["cat dog"]))
    expected = export["module"].net(np.array([[2, 0]]))
    np.testing.assert_allclose(got["scores"], expected, rtol=1e-6)
    assert got["words"].numpy().tolist() == [[b"cat", b"dog"]]


def test_a_version_is_complete(tmp_path, export):
    path = write(tmp_path, **export, extra={"config.json": "{}", "a.model": b"\xff"})
    assert (path / "assets.extra" / "config.json").read_text() == "{}"
    assert (path / "assets.extra" / "a.model").read_bytes() == b"\xff"
    assert (path / "README.md").read_text() == "# Tagger\n"
    golden = {p.name for p in (path / "assets.extra" / "golden").iterdir()}
    assert golden == {"serving_default.npz", "ids.npz"}
    assert (path / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0
    (tmp_path / "ordinary").mkdir()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_function_is_saved_once(tmp_path, export):
    path = write(tmp_path, **export)
    ops = [node.op for function in functions(path) for node in function.node_def]
    assert ops.count("StringSplitV2") == ops.count("ArgMax") == 1


def test_the_table_of_a_layer_is_saved(tmp_path):
    lookup = keras.layers.StringLookup(vocabulary=["cat", "dog"])
    signature = Signature(lambda text: {"ids": lookup(text)}, {"text": TEXT})
    examples = {"serving_default": [{"text": np.array(["dog", "cow"])}]}
    path = write(tmp_path, lookup, {"serving_default": signature}, examples, "card")
    outputs = tf.saved_model.load(path).signatures["serving_default"](text=tf.constant(["dog"]))
    assert outputs["ids"].numpy().tolist() == [2]


@pytest.mark.slow
def test_a_model_compiled_with_jit_is_saved_without_jit_and_without_optimizer(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(4, 3), keras.layers.LSTM(3)])
    optimizer = keras.optimizers.AdamW(use_ema=True)
    model.compile(optimizer, "mse", jit_compile=True)
    model.fit(np.zeros((2, 3), "int32"), np.zeros((2, 3), "float32"), verbose=0)
    assert model.jit_compile is True
    assert len(optimizer.variables) > 3 * len(model.trainable_variables)
    signature = Signature(lambda ids: {"y": model(ids, training=False)}, {"ids": IDS})
    examples = {"serving_default": [{"ids": np.array([[1, 2]])}]}
    path = write(tmp_path, model, {"serving_default": signature}, examples, "card")
    assert must_compile(path) == []
    stored = [n for n, _ in tf.train.list_variables(str(path / "variables" / "variables"))]
    assert len([n for n in stored if n.endswith("VARIABLE_VALUE")]) == len(model.weights)


def test_a_function_that_forces_xla_is_refused(tmp_path, export):
    double = tf.function(lambda ids: 2 * ids, jit_compile=True)
    export["signatures"]["ids"] = Signature(lambda ids: {"y": double(ids)}, {"ids": IDS})
    with pytest.raises(ValueError, match=r"jit_compile=True.*call the plain function"):
        write(tmp_path / "tagger", **export)
    assert not (tmp_path / "tagger").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signatures": {}}, "must contain 'serving_default', got"),
        ({"examples": {}}, "signature 'serving_default': no example"),
        ({"examples": {"serving_default": [{"text": [""]}], "other": []}}, r"\['other'\], which"),
    ],
)
def test_missing_parts_are_refused(tmp_path, export, change, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "tagger", **{**export, **change})
    assert not (tmp_path / "tagger").exists()


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ({"words": [[1]]}, r"'ids', example 0: inputs \['words'\], not \['ids'\]"),
        ({"ids": [["a"]]}, "input 'ids': text, not int32"),
        ({"ids": np.ones((1, 1), np.float32)}, "input 'ids': float32, not int32"),
        ({"ids": [1, 2]}, r"input 'ids': shape \(2,\) does not fit \(\?, \?\)"),
        ({"ids": [[9]]}, r"fails on its example 0: InvalidArgumentError: .*9"),
    ],
)
def test_an_example_that_does_not_fit_is_refused(tmp_path, export, example, message):
    export["examples"]["ids"] = [example]
    with pytest.raises(ValueError, match=message) as caught:
        write(tmp_path / "tagger", **export)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "tagger").exists()


@pytest.mark.parametrize(
    "function", [lambda ids: ids, lambda ids: {"y": {"z": ids}}, lambda ids: {"a b": ids}]
)
def test_a_function_must_return_a_flat_dict_of_tensors(function):
    with pytest.raises(ValueError, match="must return a dict of tensors"):
        _ = Signature(function, {"ids": IDS}).outputs


@pytest.mark.parametrize(
    "inputs", [{"ids": "int32"}, {"a b": IDS}, {"r": tf.RaggedTensorSpec([2])}]
)
def test_inputs_must_be_named_tensor_specs(inputs):
    with pytest.raises(ValueError, match="input '"):
        Signature(lambda **x: x, inputs)
