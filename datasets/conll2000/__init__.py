"""CoNLL-2000: text chunking, as a TFDS builder."""
