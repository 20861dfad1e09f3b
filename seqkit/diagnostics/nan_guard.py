"""NanGuard: stop at the first number that is none, and keep what led to it.

python -m seqkit.diagnostics --replay FILE  does that step again, and tells where it fails
"""

import argparse
import importlib
import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from seqkit.diagnostics.traced import Traced
from seqkit.rnn import RNN
from seqkit.typing import Nest, Tensor


class NanGuard(keras.callbacks.Callback):
    """Stops a training at the first loss or gradient that is no finite number.

    It then writes the batch, the variables before the step, and where the heads of a memory looked,
    to a file with which `replay` does that step again. A gradient is seen by what it does to the
    weights and the optimizer; one that float16 loss scaling skips does nothing. Each step costs a
    copy of all variables.

    Args:
        path: of the file; an older one is replaced.
        modules: to be imported before the model can be loaded, for layers and losses of one's own.

    Raises:
        RuntimeError: in training, if Keras runs on another backend than TensorFlow, or the model
            does more than one step per execution.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> guard = NanGuard(Path(tempfile.mkdtemp()) / "nan.zip")
        >>> x = np.array([[1.0, float("inf")]])
        >>> _ = model.fit(x, np.ones((1, 1)), verbose=0, callbacks=[guard])
        >>> replay(guard.path)["loss"]
        inf
    """

    def __init__(self, path: str | Path, modules: Sequence[str] = ()) -> None:
        super().__init__()
        self.path = Path(path)
        self.modules = list(modules)
        self.found = ""  # what was no number; empty: nothing
        self._before: list[np.ndarray] = []
        self._batch: Tensor = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError("NanGuard watches trainings on Keras's tensorflow backend")
        if self.model.steps_per_execution != 1:
            raise RuntimeError("NanGuard: compile the model with steps_per_execution=1")
        self._unwatched = self.model.train_function

        def train_function(iterator: Iterator) -> Tensor:
            self._batch = next(iterator)
            self._before = [_array(v) for v in _variables(self.model)]
            return self._unwatched(iter([self._batch]))

        self.model.train_function = train_function

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        wrong = [name for name, value in logs.items() if not np.isfinite(value)]
        # In the very first step the optimizer's variables come into being.
        wrong += [v.path for v in _variables(self.model) if not np.isfinite(_array(v)).all()]
        if wrong:
            self.found = f"{wrong[0]} is no finite number"
            self._write({"step": batch, "found": wrong, "logs": logs})
            print(
                f"\n{self.found}; written: {self.path}; to see where it comes from: "
                f"python -m seqkit.diagnostics --replay {self.path}",
                file=sys.stderr,
            )
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        self.model.train_function = self._unwatched

    def _write(self, facts: dict[str, Any]) -> None:
        """The file: the model as it was before the step, its variables, batch, trace and facts."""
        variables = _variables(self.model)
        for variable, value in zip(variables, self._before, strict=False):
            variable.assign(value)
        flat = [np.asarray(leaf) for leaf in tree.flatten(self._batch)]
        shape = tree.map_structure(lambda leaf: None, self._batch)
        facts |= {"modules": self.modules, "batch": _plain(shape)}
        beside = self.path.with_name(f".writing-{self.path.name}")
        with zipfile.ZipFile(beside, "w") as archive, tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.keras"
            self.model.save(model)
            archive.write(model, "model.keras")
            archive.writestr("batch.npz", _npz(flat))
            archive.writestr("variables.npz", _npz(self._before))
            archive.writestr("trace.npz", _npz(trace(self.model, self._batch)))
            archive.writestr("facts.json", json.dumps(facts))
        beside.replace(self.path)


def trace(model: keras.Model, batch: Tensor) -> dict[str, np.ndarray]:
    """Where the heads of a model's memories look, and what they read, over a batch.

    Args:
        model: functional; of another one nothing is told.
        batch: (inputs, ...) as in training.

    Returns:
        "layer/name" -> (batch, time, heads, slots), for each RNN whose cell has a `trace`; and
        "layer/output" -> (batch, time, size).
    """
    inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
    told = {}
    for layer in getattr(model, "layers", []):
        if not isinstance(layer, RNN) or not hasattr(layer.cell, "trace"):
            continue
        traced = Traced(layer.cell)
        seen = keras.Model(model.inputs, layer.input)(inputs)
        outputs, heads = traced.split(RNN(traced, return_sequences=True)(seen))
        told[f"{layer.name}/output"] = np.asarray(outputs)
        told |= {f"{layer.name}/{name}": np.asarray(value) for name, value in heads.items()}
    return told


def replay(path: str | Path) -> dict[str, Tensor]:
    """Do the step again that a `NanGuard` has kept.

    Args:
        path: of its file.

    Returns:
        `loss`; `gradients`: the weights whose gradient is no finite number; `variables`: those that
        are none after the step; `first`: the time step of each traced value that isn't one, where
        there is any; `facts` of the guard.

    Raises:
        ValueError: if the file is damaged, or something else.
    """
    import tensorflow as tf

    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            facts = json.loads(archive.read("facts.json"))
            for module in facts["modules"]:
                importlib.import_module(module)
            model = keras.models.load_model(archive.extract("model.keras", folder))
            flat = _arrays(archive.read("batch.npz"))
            values = _arrays(archive.read("variables.npz"))
            told = _arrays(archive.read("trace.npz"))
    except (OSError, KeyError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: no file of a NanGuard, or damaged ({error})") from None
    for variable, value in zip(_variables(model), values.values(), strict=False):
        variable.assign(value)
    batch = tree.pack_sequence_as(_nest(facts["batch"]), list(flat.values()))
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True), weights)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    pairs = list(zip(model.trainable_variables, gradients, strict=True))
    model.optimizer.apply(gradients, model.trainable_variables)
    return {
        "loss": float(loss),
        "gradients": [
            v.path for v, g in pairs if g is not None and not np.isfinite(np.asarray(g)).all()
        ],
        "variables": [v.path for v in _variables(model) if not np.isfinite(_array(v)).all()],
        "first": {name: t for name, v in told.items() if (t := _first(v)) is not None},
        "facts": facts,
    }


def _first(value: np.ndarray) -> int | None:
    """The first time step of (batch, time, ...) with something that is no finite number."""
    wrong = ~np.isfinite(value).all(axis=(0, *range(2, value.ndim)))
    return int(wrong.argmax()) if wrong.any() else None


def _variables(model: keras.Model) -> list[keras.Variable]:
    """What a step reads and changes, seeds included; metrics apart."""
    return [*model.variables, *model.optimizer.variables]


def _array(variable: keras.Variable) -> np.ndarray:
    array = keras.ops.convert_to_numpy(variable)
    # NumPy can't store bfloat16; every bfloat16 is exactly a float32.
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _npz(arrays: list[np.ndarray] | dict[str, np.ndarray]) -> bytes:
    if isinstance(arrays, list):
        arrays = {str(i): array for i, array in enumerate(arrays)}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _arrays(npz: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(npz), allow_pickle=False) as archive:
        return dict(archive)


def _plain(nest: Nest) -> Any:
    """A nest of None in JSON's terms: tuples are lists."""
    if isinstance(nest, dict):
        return {key: _plain(value) for key, value in nest.items()}
    return [_plain(value) for value in nest] if isinstance(nest, (tuple, list)) else None


def _nest(plain: Any) -> Any:
    """The nest again: Keras tells inputs, targets and weights apart in a tuple."""
    if isinstance(plain, dict):
        return {key: _nest(value) for key, value in plain.items()}
    return tuple(_nest(value) for value in plain) if isinstance(plain, list) else 0


def main(args: Sequence[str] | None = None) -> int:
    """Replay a file: 0 if it fails again as it did, 1 if not, 2 if the file is none."""
    parser = argparse.ArgumentParser(
        prog="python -m seqkit.diagnostics",
        description="Do the step again that a NanGuard has kept, and tell where it fails.",
    )
    parser.add_argument(
        "--replay", metavar="FILE", required=True, help="what the guard has written"
    )
    path = parser.parse_args(args).replay
    try:
        found = replay(path)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    facts = found["facts"]
    print(f"{path}: step {facts['step']}, {facts['found'][0]} was no finite number")
    print(f"loss {found['loss']}")
    for gradient in found["gradients"]:
        print(f"gradient of {gradient}: not finite")
    for variable in found["variables"]:
        print(f"{variable}: not finite after the step")
    for name, time in found["first"].items():
        print(f"{name}: not finite from time step {time} on")
    again = not np.isfinite(found["loss"]) or found["gradients"] or found["variables"]
    print("reproduced" if again else "not reproduced: loss, gradients and variables are finite")
    return 0 if again else 1
