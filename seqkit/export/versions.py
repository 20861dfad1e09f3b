"""Version folders: `<name>/<int>/`, as TensorFlow Serving lays out its models."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Hidden and not an integer: neither TensorFlow Serving nor `latest_version` takes it as a version.
STAGING_PREFIX = ".writing-"


def version_numbers(root: str | os.PathLike) -> list[int]:
    """Return the version numbers below `root`, in ascending order."""
    root = Path(root)
    folders = [p.name for p in root.iterdir() if p.is_dir()] if root.is_dir() else []
    return sorted(int(name) for name in folders if name.isascii() and name.isdecimal())


def latest_version(root: str | os.PathLike) -> Path:
    """Return the newest version folder below `root`.

    Args:
        root: Folder that contains `<int>/` folders.

    Returns:
        The path of the folder with the highest number.

    Raises:
        FileNotFoundError: If `root` contains no version.
    """
    root = Path(root)
    versions = version_numbers(root)
    if not versions:
        raise FileNotFoundError(f"{root}: no exported version (a folder named 1, 2, ...) in it")
    # A number may be written 7 or 007.
    return next(p for p in root.iterdir() if p.name.isdecimal() and int(p.name) == versions[-1])


def resolve(path: str | os.PathLike) -> Path:
    """Return the version folder at `path`: itself, or the newest version below it.

    Raises:
        FileNotFoundError: If there is neither.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        return path
    if path.name.isdecimal() and path.is_dir():
        raise FileNotFoundError(f"{path}: no saved_model.pb in it; export again")
    return latest_version(path)


@contextlib.contextmanager
def new_version(root: str | os.PathLike, version: int | None) -> Iterator[tuple[Path, Path]]:
    """Yield (staging folder to fill, final path); rename the first to the second at the end.

    No folder with a version's name exists before it is complete. Writers to the same `root` take
    turns (a lock on the folder itself), so a staging folder found there is an orphan and is
    removed.
    """
    root = Path(root)
    if version is not None and version < 0:
        raise ValueError(f"version must be an integer >= 0, got {version}")
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root) as locked:
        if locked:
            for orphan in root.glob(f"{STAGING_PREFIX}*"):
                shutil.rmtree(orphan)
        taken = version_numbers(root)
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
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(
                descriptor, fcntl.LOCK_EX
            )  # the kernel releases it if the process is killed
        except OSError:
            yield False
        else:
            yield True
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may hold the descriptor too
    finally:
        os.close(descriptor)
