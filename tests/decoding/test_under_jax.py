"""All tests of decoding and forcing on JAX, without TensorFlow."""

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
# Compiling takes most of the time, running hardly any.
_COMPILE_FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the subprocess")
def test_all_tests_pass_on_jax():
    here = Path(__file__).parent
    seqkit = here.parents[1] / "seqkit"
    files = [here, seqkit / "decoding", here.parent / "training" / "test_forcing.py"]
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *map(str, files)],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": _COMPILE_FAST},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
