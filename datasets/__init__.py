"""Readers of text: what comes with a Python package, and the user's own files."""
