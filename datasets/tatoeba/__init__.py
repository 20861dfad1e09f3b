"""Tatoeba: English sentences and their German translations, as a TFDS builder."""
