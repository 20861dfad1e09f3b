"""Sequence models for Keras 3: the Deep Learning book's chapter 10 as layers that work."""

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
from seqkit.memory import DNCCell, MemoryCell, MemoryNetwork, NTMCell, SparseNTMCell, Traced
from seqkit.rnn import RNN
from seqkit.testing import check_cell, check_layer
from seqkit.training import NanGuard
from seqkit.wiring import Bidirectional

__version__ = "0.1.0"
__all__ = [
    "CRF",
    "RNN",
    "AffineCell",
    "Bidirectional",
    "Cell",
    "DNCCell",
    "ElmanCell",
    "GRUCell",
    "JordanCell",
    "LSTMCell",
    "MemoryCell",
    "MemoryNetwork",
    "NTMCell",
    "NanGuard",
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
