"""Tools that look inside a recurrent net: non-finite values, exposure bias, memory heads."""

from seqkit.diagnostics.exposure_bias import ExposureBias, exposure_bias
from seqkit.diagnostics.nan_guard import NanGuard, replay
from seqkit.diagnostics.traced import Traced

__all__ = ["ExposureBias", "NanGuard", "Traced", "exposure_bias", "replay"]
