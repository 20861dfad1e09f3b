"""Multi30k: descriptions of images in English, German and French, as a TFDS builder."""
