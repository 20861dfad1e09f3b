"""Version folders: `<name>/<int>/`, as TensorFlow Serving lays out its models."""

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

# Hidden and not an integer: neither TensorFlow Serving nor `latest_version` takes it as a version.
STAGING_PREFIX = ".writing-"
LOCK = ".lock"
FILES = "saved_model.pb", "variables/variables.index", "variables/variables.data-*"


def version_folders(root: str | os.PathLike) -> list[Path]:
    """Return the folders below `root` that are named by a number, in ascending order."""
    root = Path(root)
    folders = [p for p in root.iterdir() if p.is_dir()] if root.is_dir() else []
    numbered = [p for p in folders if p.name.isascii() and p.name.isdecimal()]
    return sorted(numbered, key=lambda path: int(path.name))


def is_complete(version: Path) -> bool:
    """Return whether a folder has the files of a SavedModel; a copy may have been interrupted."""
    return all(any(version.glob(name)) for name in FILES)


def latest_version(root: str | os.PathLike) -> Path:
    """Return the newest complete version folder below `root`; warn about a newer incomplete one.

    Args:
        root: Folder that contains `<int>/` folders.

    Returns:
        The path of the complete folder with the highest number.

    Raises:
        FileNotFoundError: If `root` contains no complete version.
    """
    folders = version_folders(root)
    complete = [folder for folder in folders if is_complete(folder)]
    if not complete:
        raise FileNotFoundError(f"{root}: {_lack(Path(root), folders)}")
    if complete[-1] != folders[-1]:
        warnings.warn(
            f"{root}: version {folders[-1].name} is incomplete; using {complete[-1].name}",
            stacklevel=3,
        )
    return complete[-1]


def _lack(root: Path, versions: list[Path]) -> str:
    """Describe why there is no complete version in a folder."""
    if not root.exists():
        return "no such folder"
    if root.is_file():
        return "a file; give the folder of an export"
    if versions:
        found = f"; version {versions[-1].name} is incomplete"
    else:
        exports = [folder.name for folder in sorted(root.iterdir()) if version_folders(folder)]
        found = f"; give one of the exports there: {', '.join(exports)}" if exports else ""
    return f"no exported version (a folder named 1, 2, ...) in it{found}"


def resolve(path: str | os.PathLike) -> Path:
    """Return the version folder at `path`: itself, or the newest complete version below it.

    Raises:
        FileNotFoundError: If there is neither.
    """
    path = Path(path)
    if is_complete(path):
        return path
    is_version = path.name.isdecimal() and path.is_dir() and not version_folders(path)
    if is_version or (path / FILES[0]).is_file():
        lacking = next(name for name in FILES if not any(path.glob(name)))
        raise FileNotFoundError(f"{path}: incomplete, no {lacking} in it; export or copy it again")
    return latest_version(path)


@contextlib.contextmanager
def new_version(root: str | os.PathLike, version: int | None) -> Iterator[tuple[Path, Path]]:
    """Yield (staging folder to fill, final path); rename the first to the second at the end.

    No folder with a version's name exists before it is complete. Writers to the same `root` take
    turns (a lock), so a staging folder found there is an orphan and is removed.
    """
    root = Path(root)
    if version is not None and version < 0:
        raise ValueError(f"version must be an integer >= 0, got {version}")
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root) as locked:
        if locked:
            for orphan in root.glob(f"{STAGING_PREFIX}*"):
                shutil.rmtree(orphan)
        taken = [int(folder.name) for folder in version_folders(root)]  # 7 may be written 007
        if version is None:
            version = taken[-1] + 1 if taken else 1
        final = root / str(version)
        if version in taken or final.exists():
            raise FileExistsError(f"{final} exists; nothing written: choose another version")
        holder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=root))
        try:
            # One level below, since mkdtemp's folder is private and the version must not be.
            staging = holder / "version"
            staging.mkdir()
            yield staging, final
            os.rename(staging, final)  # noqa: PTH104
        finally:
            shutil.rmtree(holder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock the folder; yield False if the file system has no locks, as some network ones."""
    try:
        from filelock import FileLock  # only to write
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "writing an export needs filelock: pip install 'seqkit[apps]' "
            "(in a clone: pip install -e '.[apps]')"
        ) from None
    lock = FileLock(folder / LOCK)  # the system releases it if the process is killed
    try:
        lock.acquire()
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
