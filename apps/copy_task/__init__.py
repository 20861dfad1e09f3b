"""Algorithms learned from examples: copy, repeat copy, associative recall, priority sort.

The functions follow the protocol of `apps.common.app`.
"""

from apps.common.registry import LazyFunctions
from apps.copy_task.config import PRESETS, Config, PredictOptions, examples

__all__ = ["NAME", "PRESETS", "Config", "PredictOptions", "examples"]

NAME = "copy_task"
__getattr__ = LazyFunctions(__name__, callbacks="model", compare="pictures")
