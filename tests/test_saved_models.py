"""The released exports: each one passes its self-test, is small, and cites its data."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from seqkit.export import load_model, self_test

ROOT = Path(__file__).parent.parent / "saved_models"
VERSIONS = sorted(path.parent for path in ROOT.glob("*/*/saved_model.pb"))
MEGABYTE = 2**20


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_releases_exist_and_are_small():
    names = {str(path.relative_to(ROOT)) for path in VERSIONS}
    assert {"tagger/1", "tagger_ids/1", "copy_task/1", "translator/1"} <= names
    assert size(ROOT / "tagger") <= 10 * MEGABYTE
    assert size(ROOT / "copy_task") <= 2 * MEGABYTE
    assert size(ROOT / "translator") <= 25 * MEGABYTE
    assert size(ROOT) <= 50 * MEGABYTE


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_release_is_documented_and_contains_no_local_path(version):
    card = (version / "README.md").read_text()
    assert "License" in card and "Scores" in card
    for file in ("README.md", "assets.extra/config.json", "assets.extra/run.json"):
        text = (version / file).read_text()
        assert not any(f"{place}/" in text for place in ("/tmp", "/home", "/root", "/work"))


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_release_passes_its_self_test(version):
    assert self_test(version)["largest_difference"] < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_python_in_the_card_of_a_release_runs(version):
    codes = re.findall(r"```python\n(.*?)```", (version / "README.md").read_text(), re.DOTALL)
    assert len(codes) == 2
    for code in codes:
        code = code.replace("PATH/OF/THIS/FOLDER", str(version))
        subprocess.run([sys.executable, "-c", code], check=True)


def test_the_tagger_cites_its_data_and_tags_raw_text():
    assert "CC BY-SA 4.0" in (ROOT / "tagger/1/README.md").read_text()
    model = tf.saved_model.load(ROOT / "tagger/1")
    answer = model.signatures["serving_default"](text=tf.constant(["The dog doesn't bark.", ""]))
    expected = b"The/DET dog/NOUN does/AUX n't/PART bark/VERB ./PUNCT"
    assert answer["text"].numpy().tolist() == [expected, b""]


def test_the_translator_cites_its_data_and_translates_raw_text():
    assert "CC BY 2.0 FR" in (ROOT / "translator/1/README.md").read_text()
    model = load_model(ROOT / "translator/1")
    answer = model.signatures["serving_default"](text=tf.constant(["I am tired.", ""]))
    assert answer["translation"].numpy().tolist() == [b"Ich bin m\xc3\xbcde.", b""]


def test_the_memory_copies_sequences_five_times_as_long_as_in_training():
    bits = np.random.default_rng(0).integers(0, 2, (2, 100, 8)).astype("float32")
    model = tf.saved_model.load(ROOT / "copy_task/1")
    answer = model.signatures["serving_default"](bits=tf.constant(bits))
    np.testing.assert_array_equal(answer["copy"], bits)


@pytest.mark.slow
def test_the_tagger_of_ids_compiles_under_xla():
    model = tf.saved_model.load(ROOT / "tagger_ids/1")
    signature = model.signatures["serving_default"]
    _, inputs = signature.structured_input_signature
    ids = {name: tf.ones(spec.shape, spec.dtype) for name, spec in inputs.items()}
    compiled = tf.function(signature, jit_compile=True)(**ids)
    tf.debugging.assert_equal(compiled["tags"], signature(**ids)["tags"])
