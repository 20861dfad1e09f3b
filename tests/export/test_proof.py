"""The self-test, in its own process."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from seqkit.export import SelfTestError, Signature, golden, self_test, write

pytestmark = pytest.mark.slow


def test_a_good_export_passes_by_version_and_by_root(tmp_path, export):
    path = write(tmp_path / "tagger", **export)
    report = self_test(path)
    assert report["path"] == str(path)
    assert report["signatures"] == ["ids", "serving_default"]
    assert report["examples"] == 4
    assert 0 <= report["largest_difference"] < 1e-5
    assert report["load_seconds"] > 0 and min(report["latency_ms"].values()) > 0
    assert self_test(path.parent)["path"] == str(path)


@pytest.mark.parametrize("name", ["keras", "keras.layers", "seqkit", "seqkit.export", "apps"])
def test_the_isolated_process_can_not_import(name):
    code = (
        "import importlib, runpy, sys\n"
        f"golden = runpy.run_path({golden.__file__!r})\n"
        "golden['block_imports']()\n"
        f"importlib.import_module({name!r})\n"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode == 1
    assert child.stderr.splitlines()[-1].startswith("ModuleNotFoundError: ")


def test_an_export_that_needs_this_process_fails(tmp_path, export):
    """A Python function inside the graph lives only as long as the process that traced it."""

    def call_back(ids):
        return {"y": tf.numpy_function(lambda x: x, [ids], tf.int32)}

    export["signatures"]["ids"] = Signature(
        call_back, {"ids": tf.TensorSpec([None, None], "int32")}
    )
    with pytest.raises(SelfTestError, match="self-test failed"):
        self_test(write(tmp_path, **export))


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("variables/variables.data-00000-of-00001", truncate, "Error: "),
        ("variables/variables.data-00000-of-00001", flip, "Checksum does not match"),
        ("variables/variables.index", truncate, "Error: "),
        ("saved_model.pb", truncate, "OSError: "),
        ("assets.extra/golden/ids.npz", lambda path: path.unlink(), "no golden examples for"),
        ("assets.extra/golden/ids.npz", truncate, "damaged golden file"),
        ("assets.extra/golden/ids.npz", lambda path: path.write_bytes(b""), "damaged golden file"),
    ],
)
def test_a_damaged_export_is_one_clear_line(tmp_path, export, file, damage, message):
    path = write(tmp_path, **export)
    damage(path / file)
    with pytest.raises(SelfTestError, match=message) as caught:
        self_test(path)
    assert str(caught.value).startswith(f"{path}: self-test failed: ")
    assert "\n" not in str(caught.value)


def run(*arguments):
    command = [sys.executable, "-m", "seqkit.export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_line(tmp_path, export):
    path = write(tmp_path / "tagger", **export)
    good = run(path)
    assert good.returncode == 0
    assert json.loads(good.stdout)["examples"] == 4

    (path / "assets.extra" / "golden" / "ids.npz").unlink()
    bad = run(path.parent)
    assert bad.returncode == 1 and bad.stdout == ""
    assert "Traceback" not in bad.stderr
    assert "no golden examples for signature 'ids'" in bad.stderr.splitlines()[-1]

    nothing = run(tmp_path)
    assert nothing.returncode == 1
    assert "no exported version" in nothing.stderr.splitlines()[-1]
