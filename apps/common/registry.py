"""The functions of an app, imported on first use so that `--help` doesn't wait for TensorFlow."""

from importlib import import_module
from typing import Any

# Function -> the module of the app that defines it.
CONVENTION = {
    "load": "data",
    "build": "model",
    "validation": "evaluation",
    "evaluate": "evaluation",
    "export": "signatures",
    "predict": "prediction",
}


class LazyFunctions:
    """Module-level `__getattr__` that imports an app's functions on first use.

    Args:
        package: Name of the app's package, `__name__` in its `__init__.py`.
        modules: Optional functions (`callbacks`, `score`, `compare`), and functions that are not in
            the conventional module, as `function="module"`.

    Example:
        >>> functions = LazyFunctions("apps.tagger")
        >>> functions("build").__module__, "score" in functions
        ('apps.tagger.model', False)
    """

    def __init__(self, package: str, **modules: str) -> None:
        self.package = package
        self.modules = CONVENTION | modules

    def __contains__(self, name: str) -> bool:
        return name in self.modules

    def __call__(self, name: str) -> Any:
        if name not in self.modules:
            raise AttributeError(f"module {self.package!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.package}.{self.modules[name]}"), name)
