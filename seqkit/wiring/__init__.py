from seqkit.wiring.bidirectional import Bidirectional

__all__ = ["Bidirectional"]
