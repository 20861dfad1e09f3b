"""NanGuard: stop at the first non-finite value and save the step for replay.

python -m seqkit.diagnostics --replay FILE  repeats that step, and reports where it fails
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
from seqkit.ops import to_numpy
from seqkit.rnn import RNN
from seqkit.typing import Nest


class NanGuard(keras.callbacks.Callback):
    """Callback that stops at the first non-finite value and saves the step (TensorFlow only).

    It writes the batch, the variables before the step, and the weightings of memory heads to a
    file, from which `replay` repeats the step. A non-finite gradient is detected by its effect on
    the weights and the optimizer; one that float16 loss scaling skips has none. Each step costs a
    copy of all variables. It needs Keras on TensorFlow.

    Args:
        path: Path of the file; an older one is replaced.
        modules: Modules to import before the model is loaded, for custom layers and losses.

    Raises:
        RuntimeError: In training, if Keras runs on another backend than TensorFlow, or the model
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
        self.found = ""  # message about the first non-finite value; empty if there was none
        self._before: list[np.ndarray] = []
        self._batch: Nest = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError("NanGuard needs Keras's tensorflow backend")
        if self.model.steps_per_execution != 1:
            raise RuntimeError("NanGuard: compile the model with steps_per_execution=1")
        self._train_function = self.model.train_function

        def train_function(iterator: Iterator) -> Nest:
            self._batch = next(iterator)
            self._before = [to_numpy(v) for v in _variables(self.model)]
            return self._train_function(iter([self._batch]))

        self.model.train_function = train_function

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        non_finite = [name for name, value in logs.items() if not np.isfinite(value)]
        # Now, since the optimizer creates its variables in the first step.
        non_finite += _non_finite(self.model)
        if non_finite:
            self.found = f"{non_finite[0]} is not finite"
            self._write({"step": batch, "found": non_finite, "logs": logs})
            print(
                f"\n{self.found}; saved the step to {self.path}; to find the cause, run "
                f"python -m seqkit.diagnostics --replay {self.path}",
                file=sys.stderr,
            )
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        self.model.train_function = self._train_function

    def _write(self, facts: dict[str, Any]) -> None:
        """Write the model and its variables before the step, the batch, the trace and the facts."""
        variables = _variables(self.model)
        for variable, value in zip(variables, self._before, strict=False):
            variable.assign(value)
        flat = [np.asarray(leaf) for leaf in tree.flatten(self._batch)]
        structure = tree.map_structure(lambda leaf: None, self._batch)
        facts |= {"modules": self.modules, "batch": _to_json(structure)}
        temporary = self.path.with_name(f".writing-{self.path.name}")
        with zipfile.ZipFile(temporary, "w") as archive, tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.keras"
            self.model.save(model)
            archive.write(model, "model.keras")
            archive.writestr("batch.npz", _to_npz(flat))
            archive.writestr("variables.npz", _to_npz(self._before))
            archive.writestr("trace.npz", _to_npz(trace(self.model, self._batch)))
            archive.writestr("facts.json", json.dumps(facts))
        temporary.replace(self.path)


def trace(model: keras.Model, batch: Nest) -> dict[str, np.ndarray]:
    """Compute the weightings of a model's memory heads, and what they read, over a batch.

    Args:
        model: A functional model; any other yields an empty trace.
        batch: (inputs, ...) as in training.

    Returns:
        "layer/name" -> (batch, time, heads, slots), for each RNN whose cell has a `trace`; and
        "layer/output" -> (batch, time, size).
    """
    inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
    traces = {}
    for layer in getattr(model, "layers", []):
        if not isinstance(layer, RNN) or not hasattr(layer.cell, "trace"):
            continue
        traced = Traced(layer.cell)
        sequences = keras.Model(model.inputs, layer.input)(inputs)
        outputs, weightings = traced.split(RNN(traced, return_sequences=True)(sequences))
        traces[f"{layer.name}/output"] = np.asarray(outputs)
        traces |= {f"{layer.name}/{name}": np.asarray(value) for name, value in weightings.items()}
    return traces


def replay(path: str | Path) -> dict[str, Any]:
    """Repeat the step that a `NanGuard` saved.

    Args:
        path: Path of the guard's file.

    Returns:
        `loss`; `gradients`: the weights whose gradient is not finite; `variables`: those that are
        not finite after the step; `first`: the first non-finite time step of each traced value, if
        it has one; `facts`: what the guard reported.

    Raises:
        ValueError: If the file is damaged, or not a guard's.
    """
    import tensorflow as tf

    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            facts = json.loads(archive.read("facts.json"))
            for module in facts["modules"]:
                importlib.import_module(module)
            model = keras.models.load_model(archive.extract("model.keras", folder))
            flat = _from_npz(archive.read("batch.npz"))
            values = _from_npz(archive.read("variables.npz"))
            traces = _from_npz(archive.read("trace.npz"))
    except (OSError, KeyError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged, or not a file of NanGuard ({error})") from None
    for variable, value in zip(_variables(model), values.values(), strict=False):
        variable.assign(value)
    batch = tree.pack_sequence_as(_from_json(facts["batch"]), list(flat.values()))
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
        "variables": _non_finite(model),
        "first": {name: t for name, v in traces.items() if (t := _first_step(v)) is not None},
        "facts": facts,
    }


def _first_step(value: np.ndarray) -> int | None:
    """Return the first time step of (batch, time, ...) that is not finite."""
    non_finite = ~np.isfinite(value).all(axis=(0, *range(2, value.ndim)))
    return int(non_finite.argmax()) if non_finite.any() else None


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return the variables that a step reads and changes, including seeds, without metrics."""
    return [*model.variables, *model.optimizer.variables]


def _non_finite(model: keras.Model) -> list[str]:
    """Return the paths of the variables with a non-finite value."""
    return [v.path for v in _variables(model) if not np.isfinite(to_numpy(v)).all()]


def _to_npz(arrays: list[np.ndarray] | dict[str, np.ndarray]) -> bytes:
    if isinstance(arrays, list):
        arrays = {str(i): array for i, array in enumerate(arrays)}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _from_npz(npz: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(npz), allow_pickle=False) as archive:
        return dict(archive)


def _to_json(nest: Nest) -> Nest:
    """Convert a nest of None to lists and dicts, for JSON."""
    if isinstance(nest, dict):
        return {key: _to_json(value) for key, value in nest.items()}
    return [_to_json(value) for value in nest] if isinstance(nest, (tuple, list)) else None


def _from_json(nest: Nest) -> Nest:
    """Convert lists back to tuples, in which Keras separates inputs, targets and weights."""
    if isinstance(nest, dict):
        return {key: _from_json(value) for key, value in nest.items()}
    return tuple(_from_json(value) for value in nest) if isinstance(nest, list) else 0


def main(args: Sequence[str] | None = None) -> int:
    """Replay a file: exit code 0 if the step fails again, 1 if not, 2 if the file is unusable."""
    parser = argparse.ArgumentParser(
        prog="python -m seqkit.diagnostics",
        description="Repeat the step that a NanGuard saved, and report where it fails.",
    )
    parser.add_argument("--replay", metavar="FILE", required=True, help="the guard's file")
    path = parser.parse_args(args).replay
    try:
        found = replay(path)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    facts = found["facts"]
    print(f"{path}: step {facts['step']}, {facts['found'][0]} was not finite")
    print(f"loss {found['loss']}")
    for gradient in found["gradients"]:
        print(f"gradient of {gradient}: not finite")
    for variable in found["variables"]:
        print(f"{variable}: not finite after the step")
    for name, time in found["first"].items():
        print(f"{name}: not finite from time step {time} on")
    fails = not np.isfinite(found["loss"]) or found["gradients"] or found["variables"]
    print("reproduced" if fails else "not reproduced: loss, gradients and variables are finite")
    return 0 if fails else 1
