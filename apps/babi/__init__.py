"""Questions about short stories, answered by a network that looks at the facts in memory.

`apps.common.app` says what its functions are for.
"""

from importlib import import_module
from typing import Any

from apps.babi.config import PRESETS, Config, PredictOptions

__all__ = ["EXAMPLES", "NAME", "PRESETS", "Config", "PredictOptions", *(_MODULES := {
    "load": "data",
    "build": "model",
    "callbacks": "model",
    "validate": "evaluation",
    "evaluate": "evaluation",
    "export": "serving",
    "predict": "prediction",
})]  # fmt: skip

NAME = "babi"
EXAMPLES = (
    "Mary went to the kitchen. John is in the hallway. Where is Mary?",
    "Sandra took the milk. Sandra went to the garden. John moved to the office. Where is the milk?",
)


def __getattr__(name: str) -> Any:  # imports TensorFlow only when a function is asked for
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
