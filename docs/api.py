"""Write docs/api.md: every public name of seqkit with its one-line summary.

python -m docs.api
"""

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).parent / "api.md"
ROOT = PAGE.parents[1]

# A section each, in the order of the page. A name belongs to the first that lists it: `seqkit`
# itself comes last and adds none.
MODULES = (
    "seqkit.rnn",
    "seqkit.cells",
    "seqkit.attention",
    "seqkit.attention.scores",
    "seqkit.memory",
    "seqkit.memory.addressing",
    "seqkit.wiring",
    "seqkit.crf",
    "seqkit.decoding",
    "seqkit.training",
    "seqkit.diagnostics",
    "seqkit.testing",
    "seqkit.export",
    "seqkit.masking",
    "seqkit.backend",
    "seqkit",
)
# Constants have no docstring.
CONSTANTS = {
    "CELL_PROPERTIES": "The properties that `check_cell` checks.",
    "LAYER_PROPERTIES": "The properties that `check_layer` checks.",
}
HEADER = """# API

Every public name of seqkit, with the shortest path to import it from, a link to its source, and
the first line of its docstring. The whole docstring has arguments, shapes, masking, errors and the
source in the literature: `help(seqkit.RNN)`. This page is written by `make api`.
"""


def public_names(module: ModuleType) -> list[str]:
    """Return `__all__`, or the public classes and functions that the module defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]


def summary(name: str, value: Any) -> str:
    """Return the first line of a docstring.

    Raises:
        ValueError: If there is none.
    """
    if name in CONSTANTS:
        return CONSTANTS[name]
    lines = (value.__doc__ or "").strip().splitlines()
    # A NamedTuple without a docstring gets one like "Memory(keys, values, mask)".
    if not lines or lines[0].startswith(f"{name}("):
        raise ValueError(f"{name} has no summary: its docstring is missing")
    return lines[0].replace("|", "\\|")


def source(module: ModuleType, value: Any) -> str:
    """Return the path of the file that defines a value, relative to docs/."""
    defined = module
    if module.__name__ != "seqkit.backend":  # whose functions depend on the Keras backend
        defined = inspect.getmodule(value) or module
    return f"../{Path(inspect.getfile(defined)).relative_to(ROOT)}"


def page() -> str:
    """Return the text of docs/api.md.

    Raises:
        ValueError: If a public name has no summary.
    """
    top = importlib.import_module("seqkit")
    text, seen = [HEADER], set()
    for path in MODULES:
        module = importlib.import_module(path)
        rows = []
        for name in sorted(public_names(module), key=str.lower):
            value = getattr(module, name)
            if (name, id(value)) in seen:
                continue
            seen.add((name, id(value)))
            shortest = "seqkit" if getattr(top, name, None) is value else path
            link = f"[`{shortest}.{name}`]({source(module, value)})"
            rows.append(f"| {link} | {summary(name, value)} |")
        if rows:
            doc = module.__doc__.strip().splitlines()[0]
            text += [f"## {path}\n", f"{doc}\n", "| name | |\n| --- | --- |", *rows, ""]
    return "\n".join(text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
