"""The self-test, in its own process."""

import json
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from seqkit.export import SelfTestError, Signature, golden, self_test, write

pytestmark = pytest.mark.slow


def test_a_good_export_passes(tmp_path, export):
    path = write(tmp_path / "tagger", **export)
    report = self_test(path)
    assert report["path"] == str(path)
    assert report["signatures"] == ["ids", "serving_default"]
    assert report["examples"] == 4
    assert 0 <= report["largest_difference"] < 1e-5
    assert report["load_seconds"] > 0 and min(report["latency_ms"].values()) > 0


@pytest.mark.parametrize("name", ["keras", "keras.layers", "seqkit", "seqkit.export", "apps"])
def test_the_isolated_process_cannot_import(name):
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


DAMAGES = [
    ("variables/variables.data-00000-of-00001", truncate, "Error: "),
    ("variables/variables.data-00000-of-00001", flip, "Checksum does not match"),
    ("variables/variables.index", truncate, "Error: "),
    ("saved_model.pb", truncate, "OSError: "),
    ("assets.extra/golden/ids.npz", lambda path: path.unlink(), "no golden examples for"),
    ("assets.extra/golden/ids.npz", truncate, "damaged golden file"),
    ("assets.extra/golden/ids.npz", lambda path: path.write_bytes(b""), "damaged golden file"),
]
# The isolated half of the self-test, for several versions in one process.
REPLAY_ALL = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("golden", {golden.__file__!r})
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)
golden.block_imports()
golden.block_imports = lambda: None
for version in sys.argv[1:]:
    sys.argv[1] = version
    print(golden.main())
"""


@pytest.fixture(scope="module")
def damaged(tmp_path_factory, make_export):
    """Return version, exit code and output of the isolated process for each of `DAMAGES`."""
    root = tmp_path_factory.mktemp("damaged")
    versions = [write(root, **make_export()) for _ in DAMAGES]
    for version, (file, damage, _) in zip(versions, DAMAGES, strict=True):
        damage(version / file)
    command = [sys.executable, "-P", "-c", REPLAY_ALL, *map(str, versions)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return list(zip(versions, map(int, lines[1::2]), lines[::2], strict=True))


@pytest.mark.parametrize("index", range(len(DAMAGES)))
def test_a_damaged_export_is_reported_in_one_clear_line(damaged, monkeypatch, index):
    version, code, output = damaged[index]
    process = SimpleNamespace(stdout=output, returncode=code)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: process)
    with pytest.raises(SelfTestError, match=DAMAGES[index][2]) as caught:
        self_test(version)
    assert code == 2
    assert str(caught.value).startswith(f"{version}: self-test failed: ")
    assert "\n" not in str(caught.value)


def run_module(monkeypatch, *arguments):
    """Run `python -m seqkit.export` within this process."""
    monkeypatch.setattr(sys, "argv", ["seqkit.export", *map(str, arguments)])
    runpy.run_module("seqkit.export", run_name="__main__")


def test_the_command_line_tests_the_newest_version(tmp_path, export, monkeypatch, capsys):
    path = write(tmp_path / "tagger", **export)
    run_module(monkeypatch, path.parent)
    report = json.loads(capsys.readouterr().out)
    assert report["path"] == str(path)
    assert report["examples"] == 4

    (path / "assets.extra" / "golden" / "ids.npz").unlink()
    with pytest.raises(SystemExit, match="no golden examples for signature 'ids'"):
        run_module(monkeypatch, path)
    assert capsys.readouterr().out == ""


def test_the_command_line_fails_in_one_line(tmp_path):
    command = [sys.executable, "-m", "seqkit.export", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "no exported version" in done.stderr.splitlines()[-1]
