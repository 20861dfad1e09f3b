"""Multi30k: image descriptions in English, German and French."""
