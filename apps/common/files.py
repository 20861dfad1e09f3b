"""Atomic writes, and checks that no existing file is overwritten by accident."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.common.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES, PAGES = (".png", ".svg", ".pdf"), (".html", ".htm")


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it replaces `path`.

    Raises:
        UserError: If the file can't be written.
    """
    temporary = path.with_name(f".writing-{path.name}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; choose another path") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: If it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; did train or export write {path.parent}?") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: damaged ({error}); train into a new folder") from None


def check_new_file(path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Check that a file can be created, before computing its contents.

    Args:
        path: Path of the file.
        suffixes: Allowed suffixes; empty: any.

    Raises:
        UserError: If the file exists, its folder doesn't or is not writable, or its suffix is not
            allowed.
    """
    if os.path.lexists(path):
        raise UserError(f"{path}: already exists and is not overwritten; choose another name")
    if not path.parent.is_dir():
        raise UserError(
            f"{path}: the folder {path.parent} does not exist; create it, or choose another path"
        )
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{path}: the folder {path.parent} is not writable; choose another path")
    if suffixes and path.suffix not in suffixes:
        raise UserError(f"{path}: its name must end in {', '.join(suffixes)}")


def save_picture(figure: Figure, path: Path) -> None:
    """Save a figure to a new file, whose suffix determines the format, and name it on stderr.

    Raises:
        UserError: If the file exists, or can't be created: see `check_new_file`.
    """
    check_new_file(path, PICTURES)
    with warnings.catch_warnings(), atomic_write(path) as temporary:
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary)
    report_written(path)


def read_sibling(file: str, name: str) -> str:
    """Return the text of a file in the folder of a module: `read_sibling(__file__, "notes.md")`."""
    return Path(file).with_name(name).read_text(encoding="utf-8")


def report_written(path: Path) -> None:
    """Name a file that was written on stderr."""
    print(f"wrote {path}", file=sys.stderr)
