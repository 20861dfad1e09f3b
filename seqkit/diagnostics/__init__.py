"""Tools to inspect recurrent nets: non-finite values, exposure bias, attention of memory heads."""

from seqkit.diagnostics.exposure_bias import ExposureBias, exposure_bias
from seqkit.diagnostics.nan_guard import NanGuard, replay
from seqkit.diagnostics.traced import Traced

__all__ = ["ExposureBias", "NanGuard", "Traced", "exposure_bias", "replay"]
