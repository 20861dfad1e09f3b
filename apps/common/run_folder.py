"""The run folder: all files of one training run.

`config.json` holds the configuration and `run.json` its origin (command, commit, checksum of the
data, result of training); `apps.common.training` writes the rest.
"""

import dataclasses
import difflib
import subprocess
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from apps.common.errors import UserError
from apps.common.files import read_json, write_json

CONFIG, RUN = "config.json", "run.json"
C = TypeVar("C")


def read_config(folder: Path, config_type: type[C]) -> C:
    """Read `config.json` of a run folder.

    Raises:
        UserError: If the file is missing or damaged, a key is unknown or a value of the wrong type.
    """
    path = folder / CONFIG
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a configuration; train into a new folder")
    hints = typing.get_type_hints(config_type)
    for key in content:
        if key not in hints:
            raise UserError(f"{path}: unknown key {key!r}{nearest(key, hints)}")
    return config_type(**{key: _typed(path, key, content[key], hints[key]) for key in content})


def check_config(folder: Path, config: Any) -> None:
    """Check that a run folder is new, or was created with this configuration.

    Raises:
        UserError: If it was created with another one; the message names the keys that differ.
    """
    if not (folder / CONFIG).exists():
        if folder.is_dir() and any(not file.name.startswith(".") for file in folder.iterdir()):
            raise UserError(f"{folder}: has files, but no {CONFIG}; choose another --run folder")
        return
    saved = dataclasses.asdict(read_config(folder, type(config)))
    given = dataclasses.asdict(config)
    differing = ", ".join(
        f"{key} (was {saved[key]}, now {given[key]})" for key in given if saved[key] != given[key]
    )
    if differing:
        raise UserError(
            f"{folder}: was created with another configuration: {differing}; "
            "use the same options to resume, or choose another --run folder"
        )


def create(folder: Path, config: Any, facts: dict[str, Any]) -> None:
    """Create a run folder, or check that an existing one can be resumed.

    Args:
        folder: Folder that `check_config` accepted.
        config: Configuration of the run.
        facts: Content of `run.json`; `data_checksum` must not change when a run is resumed.

    Raises:
        UserError: If the data have changed since the run began.
    """
    if (folder / RUN).exists():
        if read_json(folder / RUN).get("data_checksum") != facts["data_checksum"]:
            raise UserError(
                f"{folder}: the training or dev data have changed since this run began; "
                "restore them to resume, or choose another --run folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, dataclasses.asdict(config))
    write_json(folder / RUN, facts)


def load_model(folder: Path) -> Any:
    """Load `model.keras` of a run folder without its optimizer.

    Raises:
        UserError: If it is missing or damaged.
    """
    import zipfile

    import keras

    path = folder / "model.keras"
    if not path.exists():
        raise UserError(f"{path}: no such file; train at least one epoch first")
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        problem = str(error).splitlines()[0]
        raise UserError(f"{path}: damaged ({problem}); train into a new folder") from None


def nearest(name: str, known: typing.Iterable[str]) -> str:
    """Suggest a known name for an unknown one.

    Example:
        >>> nearest("epoch", ["epochs", "units"])
        '; did you mean epochs?'
        >>> nearest("x", ["epochs", "units"])
        '; choose among epochs, units'
    """
    known = list(known)
    if close := difflib.get_close_matches(name, known, n=1):
        return f"; did you mean {close[0]}?"
    return f"; choose among {', '.join(known)}"


def git_commit() -> str:
    """Return the commit of this clone, with `+` after uncommitted changes; empty outside git."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False).returncode
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + ("+" if changed else "")


def _typed(path: Path, key: str, value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        if value not in typing.get_args(hint):
            raise UserError(
                f"{path}: {key} is {value!r}{nearest(str(value), typing.get_args(hint))}"
            )
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise UserError(f"{path}: {key} must be a list, not {value!r}")
        return tuple(value)
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, str) and Path in kinds:
        return Path(value)
    if type(value) in kinds or (value is None and types.NoneType in kinds):
        return value
    if type(value) is int and float in kinds:
        return float(value)
    expected = " or ".join("null" if kind is types.NoneType else kind.__name__ for kind in kinds)
    raise UserError(f"{path}: {key} must be {expected}, not {value!r}")
