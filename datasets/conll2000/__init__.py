"""CoNLL-2000: text chunking."""
