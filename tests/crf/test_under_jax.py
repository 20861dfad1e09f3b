"""The CRF on JAX, without TensorFlow: long sequences, and functional models."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

_COMMAND = (
    "import sys; sys.modules['tensorflow'] = None; import pytest; sys.exit(pytest.main("
    "['-p', 'no:cacheprovider', '-m', 'not slow', *sys.argv[1:]]))"
)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the subprocess")
def test_the_crf_is_as_precise_on_jax():
    here = Path(__file__).parent
    files = [here / "test_long.py", here / "test_in_models.py", here.parents[1] / "seqkit" / "crf"]
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *map(str, files)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
