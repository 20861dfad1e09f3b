"""Questions about short stories, answered by a network with a memory of facts.

The functions follow the protocol of `apps.common.app`.
"""

from apps.babi.config import PRESETS, Config, examples
from apps.common.registry import LazyFunctions

__all__ = ["NAME", "PRESETS", "Config", "examples"]

NAME = "babi"
__getattr__ = LazyFunctions(__name__)
