"""The training state in one file: all variables, and the position.

The file is an uncompressed NumPy archive without pickle: `0`, `1`, ... are the variables,
`progress` is JSON. Its checksums reveal a damaged file.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from apps.common import files
from apps.common.errors import UserError
from seqkit.ops import to_numpy


def save(path: Path, model: keras.Model, progress: dict[str, Any]) -> None:
    """Write the training state.

    Args:
        path: Path of the file.
        model: Compiled model, trained for at least one step, so that all its variables exist.
        progress: The position; JSON-serializable.
    """
    arrays = {str(i): to_numpy(v) for i, v in enumerate(_variables(model))}
    with files.atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, progress=np.frombuffer(json.dumps(progress).encode(), np.uint8), **arrays)


def load(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Read what `save` wrote.

    Raises:
        UserError: If the file is damaged, or not a checkpoint.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            progress = json.loads(archive["progress"].tobytes())
            return [archive[str(i)] for i in range(len(archive.files) - 1)], progress
    # For an .npy file, np.load returns a plain array, which is not a context manager.
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged, or not a checkpoint ({str(error).splitlines()[0]}); restore a copy, "
            "or start again in another run folder"
        ) from None


def restore(path: Path, model: keras.Model, values: list[np.ndarray]) -> None:
    """Assign the values that `load` read to the variables of a model.

    Args:
        path: Path of the file, for the message.
        model: As for `save`.
        values: Values of all its variables.

    Raises:
        UserError: If the values are those of another model; nothing is changed.
    """
    variables = _variables(model)
    if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
        raise UserError(
            f"{path}: a checkpoint of another model ({len(values)} variables instead of "
            f"{len(variables)}, or other shapes); choose another run folder"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return all that a training step changes: weights, seeds, optimizer and running metrics."""
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]
