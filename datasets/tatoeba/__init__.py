"""Tatoeba: English sentences and their German translations."""
