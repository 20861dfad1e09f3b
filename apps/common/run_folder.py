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

from apps.common.app import App
from apps.common.errors import UserError
from apps.common.files import read_json, write_json
from apps.common.hints import command

CONFIG, RUN = "config.json", "run.json"
ASSETS = "assets.extra"  # folder of an export with copies of both; servers ignore it
FACTS = {"app", "command", "commit", "data_checksum"}  # in RUN
LONGER = {"epochs", "patience"}  # what may change when a run is continued
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


def read_run(folder: Path, app: App) -> tuple[Any, dict[str, Any]]:
    """Read configuration and origin of a run.

    Raises:
        UserError: If they are missing or damaged, or the run is of another app.
    """
    if not (folder / CONFIG).exists():
        if is_export(folder):
            raise UserError(f"{folder}: an export, not a run; use --saved_model {folder}")
        raise UserError(
            f"{folder}: not a run, it has no {CONFIG}; give a folder that was written by: "
            f"{command(app, ['train', '--run'])} DIR"
        )
    facts = read_facts(folder, app)
    return read_config(folder, app.Config), facts


def read_facts(folder: Path, app: App) -> dict[str, Any]:
    """Read `run.json` of a run folder.

    Raises:
        UserError: If it is missing or damaged, or the run is of another app.
    """
    path = folder / RUN
    facts = read_json(path)
    if not isinstance(facts, dict) or not facts.keys() >= FACTS:
        raise UserError(f"{path}: damaged; train into a new folder")
    if facts["app"] != app.NAME:
        other = " ".join(facts["command"].split()[:3])
        place = folder.parent if folder.name == ASSETS else folder
        raise UserError(
            f"{place}: belongs to the {facts['app']} app, not the {app.NAME}; use {other}"
        )
    return facts


def is_export(folder: Path) -> bool:
    """Return whether a folder is a SavedModel, or the folder of its versions."""
    return any(folder.glob("saved_model.pb")) or any(folder.glob("*/saved_model.pb"))


def check_config(folder: Path, config: Any, app: App) -> None:
    """Check that a run folder is new, or was created by this app with this configuration.

    A run may be continued with more epochs, and with another patience.

    Raises:
        UserError: If it was created with another one; the message names the keys that differ.
    """
    if not (folder / CONFIG).exists():
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: a file; choose another --run folder")
        if folder.is_dir() and any(not file.name.startswith(".") for file in folder.iterdir()):
            raise UserError(f"{folder}: has files, but no {CONFIG}; choose another --run folder")
        return
    if (folder / RUN).exists():  # written after CONFIG
        read_facts(folder, app)
    saved = dataclasses.asdict(read_config(folder, type(config)))
    given = dataclasses.asdict(config)
    changed = [key for key in given if saved[key] != given[key]]
    is_shorter = "epochs" in changed and given["epochs"] < saved["epochs"]
    if is_shorter or not {*changed} <= LONGER:
        differing = ", ".join(f"{key} (was {saved[key]}, now {given[key]})" for key in changed)
        if is_shorter:
            differing += "; a run can only get more epochs"
        raise UserError(
            f"{folder}: was created with another configuration: {differing}; "
            "use the same options to resume, or choose another --run folder"
        )


def create(folder: Path, config: Any, facts: dict[str, Any]) -> None:
    """Create a run folder, or check that an existing one can be resumed, and note its new epochs.

    Args:
        folder: Folder that `check_config` accepted.
        config: Configuration of the run.
        facts: Content of `run.json`; `data_checksum` must not change when a run is resumed.

    Raises:
        UserError: If the data have changed since the run began.
    """
    if (folder / RUN).exists():
        saved = read_json(folder / RUN)
        if saved.get("data_checksum") != facts["data_checksum"]:
            raise UserError(
                f"{folder}: the training or dev data have changed since this run began; "
                "restore them to resume, or choose another --run folder"
            )
        if read_config(folder, type(config)) != config:  # more epochs
            write_json(folder / CONFIG, dataclasses.asdict(config))
            write_json(folder / RUN, saved | {"command": facts["command"]})
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; choose another --run folder") from None
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
