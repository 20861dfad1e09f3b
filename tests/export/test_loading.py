"""Exports called with Python values."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from seqkit.export import Signature, load, write

RELEASES = Path(__file__).parents[2] / "saved_models"


@pytest.fixture
def model(tmp_path, export):
    def join(a, b, n):
        return {"joined": tf.repeat(tf.strings.join([a, b])[:, None], n, axis=1)}

    text = tf.TensorSpec([None], tf.string)
    export["signatures"]["join"] = Signature(
        join, {"a": text, "b": text, "n": tf.TensorSpec([], tf.int32)}
    )
    export["examples"]["join"] = [{"a": ["x"], "b": ["y"], "n": 1}]
    write(tmp_path / "model", **export)
    return load(tmp_path / "model")


def test_lists_of_strings_give_arrays_of_strings(model):
    answer = model(["naïve cat", "the"])
    assert answer["text"].tolist() == ["naïve cat", "the"]
    assert answer["words"].tolist() == [["naïve", "cat"], ["the", ""]]
    assert answer["scores"].shape == (2, 2, 2) and answer["scores"].dtype == "float32"
    np.testing.assert_array_equal(model(text=np.array(["the"]))["best"], answer["best"][1:, :1])


def test_a_string_gives_its_row(model):
    answer, rows = model("the cat"), model(["the cat"])
    assert answer["text"] == "the cat" and answer["words"].tolist() == ["the", "cat"]
    np.testing.assert_array_equal(answer["scores"], rows["scores"][0])
    assert model.signatures["join"](a="x", b="y", n=2)["joined"].tolist() == ["xy", "xy"]
    assert model.signatures["join"](a=["x"], b=["y"], n=1)["joined"].tolist() == [["xy"]]


def test_it_names_its_signatures(model):
    lines = repr(model).splitlines()
    assert lines[0] == f"{model.path}: Tagger" and model.path.name == "1"
    assert "  ids(ids: int32 (?, ?)) -> scores: float32 (?, ?, 2)" in lines
    assert model.signatures["join"].inputs["n"].dtype == tf.int32
    assert model.card == "# Tagger\n"


@pytest.mark.parametrize(
    ("name", "inputs", "named", "message"),
    [
        ("serving_default", (5,), {}, "input 'text': int64, not string"),
        ("serving_default", ([["a"]],), {}, r"input 'text': shape \(1, 1\) does not fit \(\?\)"),
        ("serving_default", (), {"txt": "a"}, "no input 'txt'"),
        ("serving_default", (), {}, "input 'text' is missing"),
        ("serving_default", ("a", "b"), {}, "give its inputs by name"),
        ("join", ("a",), {}, "give its inputs by name"),
        ("join", (), {"a": "x", "b": ["y"], "n": 1}, "give a, b all as single strings"),
        ("join", (), {"a": "x", "b": "y", "n": 1.5}, "input 'n': float64, not int32"),
        ("join", (), {"a": "x", "b": "y", "n": 2**40}, "input 'n': out of the range of int32"),
        ("ids", ([[1], [1, 2]],), {}, "input 'ids': its rows differ in length"),
        ("ids", ([[9]],), {}, "InvalidArgumentError: .*9"),
        ("serving_default", (None,), {}, "input 'text': None, not string; give a string or a list"),
        ("serving_default", ({"a": 1},), {}, "input 'text': a dict, not string"),
        ("serving_default", (["a", None],), {}, "input 'text': contains None, not string"),
        (
            "serving_default",
            ("\ud800",),
            {},
            "input 'text': text with a lone surrogate, not string",
        ),
        ("serving_default", ([["a", "b"], ["c"]],), {}, "differ in length; give one list, not a"),
        ("ids", ("a",), {}, "input 'ids': text, not int32"),
    ],
)
def test_a_wrong_call_gets_one_line(model, name, inputs, named, message):
    with pytest.raises(ValueError, match=message) as error:
        model.signatures[name](*inputs, **named)
    assert "\n" not in str(error.value) and str(error.value).startswith(name)


def test_an_empty_batch_gives_empty_arrays(model):
    found = model([])
    assert found.keys() == model.signatures["serving_default"].outputs.keys()
    assert all(len(array) == 0 for array in found.values())


def test_an_unknown_name_is_answered_with_the_known_ones(model):
    with pytest.raises(KeyError, match=r"no signature 'nope'; choose among .*join"):
        model.signatures["nope"]
    with pytest.raises(AttributeError, match=r"its signatures are .*: signatures\['join'\]"):
        _ = model.join


def test_a_signature_outlives_its_model(model):
    path = model.path
    signature = load(path).signatures["serving_default"]
    gc.collect()
    np.testing.assert_array_equal(signature("the cat")["scores"], model("the cat")["scores"])


def test_a_damaged_export_gets_one_line(tmp_path, export):
    version = write(tmp_path, **export)
    file = version / "saved_model.pb"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=f"{version}: damaged") as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_it_needs_no_keras_and_loads_the_operations_of_tensorflow_text():
    code = f"""
import sys
sys.modules["keras"] = None
from seqkit.export import load
print(load({str(RELEASES / "translator")!r})("I am tired.")["translation"])
assert "tensorflow_text" not in sys.modules
import seqkit
assert not hasattr(seqkit, "nothing")
try:
    seqkit.RNN
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    expected = "Ich bin müde.\nseqkit.RNN needs Keras: pip install keras\n"
    assert done.stdout == expected, done.stderr


@pytest.mark.slow
def test_keras_finds_the_layers_if_it_is_imported_after_seqkit():
    code = """
import seqkit, keras
config = {"module": "seqkit.cells.gru", "class_name": "GRUCell", "config": {"units": 2},
          "registered_name": "seqkit>GRUCell"}
print(type(keras.saving.deserialize_keras_object(config)).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "GRUCell\n", done.stderr
