"""Tools to inspect recurrent nets: non-finite values, exposure bias, memory heads, slow layers."""

from seqkit.diagnostics.exposure_bias import ExposureBias, exposure_bias
from seqkit.diagnostics.nan_guard import NanGuard, replay
from seqkit.diagnostics.traced import Traced
from seqkit.diagnostics.why_slow import TrainingPath, why_slow

__all__ = [
    "ExposureBias",
    "NanGuard",
    "Traced",
    "TrainingPath",
    "exposure_bias",
    "replay",
    "why_slow",
]
