"""A sequence tagger: words in, one tag per word out.

The functions follow the protocol of `apps.common.app`.
"""

from apps.common.registry import LazyFunctions
from apps.tagger.config import PRESETS, Config, PredictOptions, examples

__all__ = ["NAME", "PRESETS", "Config", "PredictOptions", "examples"]

NAME = "tagger"
__getattr__ = LazyFunctions(__name__)
