"""Golden examples: stored without loss, compared strictly."""

import numpy as np
import pytest
import tensorflow as tf

from seqkit.export import golden, write


def store(tmp_path, tensors):
    golden.save(tmp_path, "f", [(tensors, {})])
    return golden.load(tmp_path / golden.FOLDER / "f.npz")[0][0]


@pytest.mark.parametrize(
    "strings",
    [
        b"scalar",
        [b"", b"nul\0", b"\0", b"\xff\xfe", "é字".encode()],
        [[b"a", b""], [b"", b""]],
        np.zeros([0], object),
        np.zeros([2, 0], object),
    ],
)
def test_strings_are_restored_byte_for_byte(tmp_path, strings):
    expected = tf.constant(strings, tf.string).numpy()
    got = store(tmp_path, {"x": tf.constant(strings, tf.string)})["x"]
    assert got.shape == np.shape(expected)
    assert got.tolist() == np.asarray(expected, object).tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "int64", "bool"])
def test_numbers_are_restored_bit_for_bit(tmp_path, dtype):
    tensor = tf.cast(tf.constant([[0.0, 1.0, -2.7]]), dtype)
    got = store(tmp_path, {"x": tensor})["x"]
    assert got.dtype == ("float32" if dtype == "bfloat16" else dtype)
    assert tf.reduce_all(tf.cast(got, dtype) == tensor)


def test_more_than_ten_examples_keep_their_order(tmp_path):
    golden.save(tmp_path, "f", [({"x": tf.constant(i)}, {"y": tf.constant(-i)}) for i in range(12)])
    loaded = golden.load(tmp_path / golden.FOLDER / "f.npz")
    assert [(int(i["x"]), int(o["y"])) for i, o in loaded] == [(i, -i) for i in range(12)]


def test_floats_within_the_tolerance_are_not_drift():
    one = np.ones(3, np.float32)
    assert golden.compare(one, one, 4) == 0
    assert golden.compare(one + np.float32(5e-5), one, 4) == pytest.approx(5e-5, rel=1e-2)
    special = np.array([np.inf, -np.inf, np.nan], np.float32)
    assert golden.compare(special, special, 4) == 0


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (np.float32([1, 1.001]), np.float32([1, 1]), "largest difference 0.001"),
        (np.float32([np.nan]), np.float32([1]), "largest difference"),
        (np.float32([np.inf]), np.float32([-np.inf]), "largest difference"),
        (np.int64([1, 2, 3]), np.int64([1, 3, 2]), "2 of 3 values differ"),
        (np.array([b"a"], object), np.array([b"b"], object), "1 of 1 values differ"),
        (np.float32([1]), np.float32([[1]]), "shape"),
        (np.int64([1]), np.int32([1]), "int64"),
    ],
)
def test_drift_is_detected(got, expected, message):
    with pytest.raises(golden.Drift, match=message):
        golden.compare(got, expected, 4)


def test_replay_of_a_fresh_export_is_exact(tmp_path, export):
    report = golden.replay(write(tmp_path, **export))
    assert report["signatures"] == ["ids", "serving_default"]
    assert report["examples"] == 4
    assert report["largest_difference"] < 1e-6
    assert set(report["latency_ms"]) == {"ids", "serving_default"}


def altered(path, **changes):
    with np.load(path) as arrays:
        stored = dict(arrays)
    for key, change in changes.items():
        stored[key] = change(stored[key])
    np.savez(path, **stored)


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("0/outputs/scores", lambda x: x + np.float32(0.01), "example 0, output 'scores': largest"),
        ("1/outputs/best", lambda x: 1 - x, "example 1, output 'best'"),
        ("0/outputs/words/bytes", lambda x: x + np.uint8(1), "example 0, output 'words'"),
    ],
)
def test_an_altered_golden_output_is_drift(tmp_path, export, key, change, message):
    path = write(tmp_path, **export)
    altered(path / golden.FOLDER / "serving_default.npz", **{key: change})
    with pytest.raises(golden.Drift, match=f"signature 'serving_default', {message}"):
        golden.replay(path)


def test_a_missing_golden_file_is_an_error(tmp_path, export):
    path = write(tmp_path, **export)
    (path / golden.FOLDER / "ids.npz").unlink()
    with pytest.raises(FileNotFoundError, match="no golden examples for signature 'ids'"):
        golden.replay(path)


def test_a_missing_signature_is_drift(tmp_path, export):
    path = write(tmp_path, **export)
    ids = path / golden.FOLDER / "ids.npz"
    ids.rename(ids.with_name("gone.npz"))
    with pytest.raises(golden.Drift, match=r"\['gone'\] have golden examples"):
        golden.replay(path)


def test_the_package_of_a_missing_operation_is_named(monkeypatch):
    def load(path):
        raise RuntimeError(f"Op type not registered '{path}' in binary running on here.")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with pytest.raises(RuntimeError, match="not registered 'Unknown'"):  # nor in tensorflow_text
        golden.load_model("Unknown")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install tensorflow-text"):
        golden.load_model("SentencepieceOp")


def test_a_folder_without_an_export_is_not_reported_as_a_missing_operation(tmp_path):
    with pytest.raises(OSError, match="SavedModel file does not exist"):
        golden.load_model(tmp_path)
