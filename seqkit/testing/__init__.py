"""The contract of layers and cells as checks, for custom ones too.

check_layer(make, inputs)    raises an AssertionError that names the violated property
check_cell(make, inputs)     the same for a recurrent cell, inside and outside of an RNN
"""

from seqkit.testing.cell import CELL_PROPERTIES, check_cell
from seqkit.testing.layer import LAYER_PROPERTIES, check_layer

__all__ = ["CELL_PROPERTIES", "LAYER_PROPERTIES", "check_cell", "check_layer"]
