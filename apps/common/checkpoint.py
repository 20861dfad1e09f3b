"""One moment of a training in one file: every variable, and where the training stood.

The file is an uncompressed NumPy archive without pickle: `0`, `1`, ... are the variables,
`progress` is JSON. Its checksums tell a damaged file.
"""

import contextlib
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from apps.common.errors import UserError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; at the end it takes the place of `path`, whole."""
    beside = path.with_name(f".writing-{path.name}")
    yield beside
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def save(path: Path, model: keras.Model, progress: dict[str, Any]) -> None:
    """Write the state of a training.

    Args:
        path: of the file.
        model: compiled, and trained for at least a step, so that all its variables exist.
        progress: what else belongs to this moment, as JSON knows it.
    """
    arrays = {str(i): _array(v) for i, v in enumerate(_variables(model))}
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, progress=np.frombuffer(json.dumps(progress).encode(), np.uint8), **arrays)


def load(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Read what `save` wrote.

    Raises:
        UserError: the file is damaged, or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            progress = json.loads(archive["progress"].tobytes())
            return [archive[str(i)] for i in range(len(archive.files) - 1)], progress
    # np.load gives a plain array for an .npy file, which is no context manager.
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged, or no checkpoint ({str(error).splitlines()[0]}); put back a copy, "
            "or start again in another run folder"
        ) from None


def restore(path: Path, model: keras.Model, values: list[np.ndarray]) -> None:
    """Give the variables of a model the values that `load` read.

    Args:
        path: of the file, for the message.
        model: as for `save`.
        values: of all its variables.

    Raises:
        UserError: the values are those of another model; nothing is changed.
    """
    variables = _variables(model)
    if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
        raise UserError(
            f"{path}: the checkpoint of another model ({len(values)} variables there, "
            f"{len(variables)} here, or of other shapes); choose another run folder"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Everything that a training step changes: weights, seeds, optimizer and running metrics."""
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


def _array(variable: keras.Variable) -> np.ndarray:
    array = keras.ops.convert_to_numpy(variable)
    # NumPy can't store bfloat16; every bfloat16 is exactly a float32.
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
