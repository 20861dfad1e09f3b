"""bAbI: questions about short stories."""
