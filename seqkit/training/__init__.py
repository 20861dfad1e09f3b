"""Training methods for recurrent nets: schedules of decoder inputs, and professor forcing."""

from seqkit.training.forcing import (
    constant,
    exponential,
    inverse_sigmoid,
    linear,
    scheduled_sampling,
)
from seqkit.training.gradient_reversal import GradientReversal
from seqkit.training.professor_forcing import ProfessorForcing

__all__ = [
    "GradientReversal",
    "ProfessorForcing",
    "constant",
    "exponential",
    "inverse_sigmoid",
    "linear",
    "scheduled_sampling",
]
