"""All of decoding and forcing once more on JAX, where TensorFlow can't be imported."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

_COMMAND = (
    "import sys; sys.modules['tensorflow'] = None; import pytest; sys.exit(pytest.main("
    "['-p', 'no:cacheprovider', *sys.argv[1:]]))"
)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is that process")
def test_the_same_holds_on_jax():
    here = Path(__file__).parent
    seqkit = here.parents[1] / "seqkit"
    files = [here, seqkit / "decoding", here.parent / "training" / "test_forcing.py"]
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *map(str, files)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
