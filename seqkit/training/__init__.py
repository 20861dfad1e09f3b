"""What helps recurrent nets to be trained."""

from seqkit.training.forcing import (
    ExposureBias,
    constant,
    exponential,
    exposure_bias,
    inverse_sigmoid,
    linear,
    scheduled_sampling,
)
from seqkit.training.nan_guard import NanGuard
from seqkit.training.professor_forcing import GradientReversal, ProfessorForcing

__all__ = [
    "ExposureBias",
    "GradientReversal",
    "NanGuard",
    "ProfessorForcing",
    "constant",
    "exponential",
    "exposure_bias",
    "inverse_sigmoid",
    "linear",
    "scheduled_sampling",
]
