"""A sequence tagger: words in, one tag a word out.

`apps.common.app` says what its functions are for.
"""

from importlib import import_module
from typing import Any

from apps.tagger.config import PRESETS, Config, PredictOptions, examples

__all__ = ["NAME", "PRESETS", "Config", "PredictOptions", "examples", *(_MODULES := {
    "load": "data",
    "build": "model",
    "callbacks": "model",
    "validation": "evaluation",
    "evaluate": "evaluation",
    "export": "serving",
    "predict": "prediction",
})]  # fmt: skip

NAME = "tagger"


def __getattr__(name: str) -> Any:  # imports TensorFlow only when a function is asked for
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
