"""Check that a file can be written, before the work of making it."""

import os
from pathlib import Path

from apps.common.errors import UserError

PICTURES = ".png", ".svg", ".pdf"


def check_new_file(path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Refuse what can't be a new file.

    Args:
        path: of the file.
        suffixes: that it may have; none: any.

    Raises:
        UserError: the file is there already, its folder is not, or its suffix is another.
    """
    if os.path.lexists(path):
        raise UserError(f"{path}: exists and is not overwritten; choose another name")
    if not path.parent.is_dir():
        raise UserError(f"{path}: no folder {path.parent}; make it, or choose another path")
    if suffixes and path.suffix not in suffixes:
        raise UserError(f"{path}: its name must end in {', '.join(suffixes)}")
