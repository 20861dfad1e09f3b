"""Commands as a user would type them."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType


def command(app: ModuleType, args: Sequence[str], python: str = "python") -> str:
    """Format a command of an app."""
    return " ".join(map(_quoted, [python, "-m", app.__name__, *args]))


def print_next(app: ModuleType, *commands: Sequence[str]) -> None:
    """Print commands to continue with; each works in this shell, as it is printed."""
    if commands:
        print("Next:")
    for args in commands:
        print(" ", command(app, args, interpreter()))


def _quoted(word: str) -> str:
    """Quote a word for the shell, one with an apostrophe in double quotes."""
    if "'" in word and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def interpreter() -> str:
    """Return `python` if the shell finds this interpreter by that name, otherwise its path."""
    found, path = shutil.which("python"), Path(sys.executable)
    if found and Path(found).parent == path.parent:
        return "python"
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
