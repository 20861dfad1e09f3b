"""bAbI: questions about short stories, as a TFDS builder."""
