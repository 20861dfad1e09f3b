"""How layers are put together: in both directions, conditioned on a vector, or by their states."""

from seqkit.wiring.bidirectional import Bidirectional
from seqkit.wiring.bridge import Bridge
from seqkit.wiring.conditioned import Conditioned

__all__ = ["Bidirectional", "Bridge", "Conditioned"]
