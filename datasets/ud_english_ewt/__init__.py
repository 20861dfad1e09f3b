"""Universal Dependencies English EWT: parts of speech of web texts."""
