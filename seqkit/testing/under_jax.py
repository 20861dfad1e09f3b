"""Check that a layer saved under TensorFlow loads and trains under JAX, without TensorFlow."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, walk_attributes
from seqkit.testing.training import scalar_model, train_step

# None in sys.modules makes every `import tensorflow` fail.
_COMMAND = (
    "import sys; sys.modules['tensorflow'] = None; "
    "from seqkit.testing.under_jax import run_saved; [run_saved(folder) for folder in sys.argv[1:]]"
)

_QUICK_COMPILATION = "--xla_backend_optimization_level=0"


def loads_under_jax(*cases: Case) -> None:
    """Saved as `.keras`, it computes the same and trains under JAX, with TensorFlow unimportable.

    The layer's class must be in an importable module. A layer from a notebook is skipped with a
    warning; so is every layer if JAX isn't installed. Several cases share one process.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = {}
        for index, case in enumerate(cases):
            layer = case.layer()
            modules = {
                type(v).__module__ for _, v in walk_attributes(layer) if hasattr(v, "get_config")
            }
            if "__main__" in modules or importlib.util.find_spec("jax") is None:
                warnings.warn(f"{layer.name} is not checked under JAX", stacklevel=2)
                continue
            place = Path(folder, str(index))
            place.mkdir()
            case.model(layer).save(place / "model.keras")
            np.savez(place / "inputs.npz", *case.arrays)
            (place / "modules.json").write_text(json.dumps(sorted(modules)), encoding="utf-8")
            wanted[place] = case.numbers(layer)
        if not wanted:
            return
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, *map(str, wanted)],
            env={
                **os.environ,
                "KERAS_BACKEND": "jax",
                # Compiling takes most of the time; the computations are tiny.
                "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {_QUICK_COMPILATION}",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"under JAX: {done.stderr.strip()[-2000:]}"
        for place, outputs in wanted.items():
            found = _arrays(place / "outputs.npz")
            assert_same(found, outputs, "outputs under JAX", tolerance=1e-4)


def run_saved(folder: str) -> None:
    """Load a saved model, write its outputs, and train one step: runs in the JAX process."""
    for module in json.loads(Path(folder, "modules.json").read_text(encoding="utf-8")):
        importlib.import_module(module)
    model = keras.saving.load_model(Path(folder, "model.keras"))
    case = Case(lambda: model, _arrays(Path(folder, "inputs.npz")))
    outputs = model.predict_on_batch(case.arrays)  # compiled at once, not operation by operation
    np.savez(Path(folder, "outputs.npz"), *keras.tree.flatten(outputs))
    scalar = scalar_model(model)
    if scalar is not None and model.trainable_variables:
        loss = train_step(scalar, case, jit=True)
        assert np.isfinite(loss), f"{model.layers[-1].name}: the loss of a training step is {loss}"


def _arrays(path: Path) -> list[np.ndarray]:
    with np.load(path) as stored:
        return [stored[name] for name in stored.files]
