"""Tests that run on JAX as well, in a process without TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
_COMMAND = (
    "import sys; sys.modules['tensorflow'] = None; import pytest; sys.exit(pytest.main("
    "['-p', 'no:cacheprovider', *sys.argv[1:]]))"
)
# Compiling takes most of the time, running hardly any.
_COMPILE_FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
_PRECISE = ""  # sums over long sequences depend on how they are compiled


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the subprocess")
@pytest.mark.parametrize(
    ("files", "options", "flags"),
    [
        ("tests/decoding seqkit/decoding tests/training/test_forcing.py", (), _COMPILE_FAST),
        (
            "tests/crf/test_long.py tests/crf/test_in_models.py seqkit/crf",
            ("-m", "not slow"),
            _PRECISE,
        ),
        ("tests/test_wrong_inputs.py", ("-k", "not nan"), _COMPILE_FAST),
    ],
    ids=["decoding", "crf", "wrong inputs"],
)
def test_they_pass_on_jax(files, options, flags):
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *options, *files.split()],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
