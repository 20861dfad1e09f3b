"""Networks with an explicit memory (Deep Learning, 10.12)."""

from seqkit.memory.dnc import DNCCell
from seqkit.memory.memory_cell import MemoryCell
from seqkit.memory.memory_network import MemoryNetwork
from seqkit.memory.ntm import NTMCell
from seqkit.memory.sparse_ntm import SparseNTMCell

__all__ = ["DNCCell", "MemoryCell", "MemoryNetwork", "NTMCell", "SparseNTMCell"]
