"""Recurrent cells: one time step of a recurrence each."""

from seqkit.cells.affine import AffineCell
from seqkit.cells.cell import Cell
from seqkit.cells.elman import ElmanCell
from seqkit.cells.gru import GRUCell
from seqkit.cells.jordan import JordanCell
from seqkit.cells.lstm import LSTMCell
from seqkit.cells.recurrence import plain_loops
from seqkit.cells.stacked import StackedCells

__all__ = [
    "AffineCell",
    "Cell",
    "ElmanCell",
    "GRUCell",
    "JordanCell",
    "LSTMCell",
    "StackedCells",
    "plain_loops",
]
