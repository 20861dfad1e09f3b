"""Sequence models for Keras 3: chapter 10 of the Deep Learning book as layers."""

from seqkit.attention import (
    Attention,
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
)
from seqkit.cells import (
    AffineCell,
    Cell,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    StackedCells,
)
from seqkit.crf import (
    CRF,
    crf_loss,
    log_partition,
    log_potentials,
    marginals,
    n_best,
    path_score,
    transition_constraints,
    viterbi,
)
from seqkit.diagnostics import NanGuard, Traced
from seqkit.memory import DNCCell, MemoryCell, MemoryNetwork, NTMCell, SparseNTMCell
from seqkit.rnn import RNN
from seqkit.testing import check_cell, check_layer
from seqkit.training import GradientReversal, ProfessorForcing
from seqkit.wiring import Bidirectional, Bridge, Conditioned

__version__ = "0.1.0"
__all__ = [
    "CRF",
    "RNN",
    "AffineCell",
    "Attention",
    "AttentionCell",
    "BahdanauAttention",
    "Bidirectional",
    "Bridge",
    "Cell",
    "Conditioned",
    "CoverageAttention",
    "DNCCell",
    "ElmanCell",
    "GRUCell",
    "GradientReversal",
    "JordanCell",
    "LSTMCell",
    "LocationAwareAttention",
    "LuongAttention",
    "MemoryCell",
    "MemoryNetwork",
    "NTMCell",
    "NanGuard",
    "ProfessorForcing",
    "SparseNTMCell",
    "StackedCells",
    "Traced",
    "check_cell",
    "check_layer",
    "crf_loss",
    "log_partition",
    "log_potentials",
    "marginals",
    "n_best",
    "path_score",
    "transition_constraints",
    "viterbi",
]
