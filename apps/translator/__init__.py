"""A translator of sentences: an encoder, attention and a decoder.

The functions follow the protocol of `apps.common.app`.
"""

from apps.common.registry import LazyFunctions
from apps.translator.config import PRESETS, Config, PredictOptions, examples

__all__ = ["NAME", "PRESETS", "Config", "PredictOptions", "examples"]

NAME = "translator"
__getattr__ = LazyFunctions(__name__, score="prediction", compare="pictures")
