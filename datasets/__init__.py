"""Data sets, and readers of file formats."""
