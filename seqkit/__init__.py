"""Sequence models for Keras 3: chapter 10 of the Deep Learning book as layers.

Importing it registers the layers, so `keras.saving.load_model` finds them. Without Keras,
`seqkit.export.load` still works.
"""

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING or importlib.util.find_spec("keras"):
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
        plain_loops,
    )
    from seqkit.crf import (
        CRF,
        CRFAccuracy,
        CRFLoss,
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
else:

    def __getattr__(name: str) -> None:
        """Name the missing package where a layer is used."""
        if name not in __all__:
            raise AttributeError(f"module 'seqkit' has no attribute {name!r}")
        raise ImportError(f"seqkit.{name} needs Keras: pip install keras")


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
    "CRFAccuracy",
    "CRFLoss",
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
    "plain_loops",
    "transition_constraints",
    "viterbi",
]
