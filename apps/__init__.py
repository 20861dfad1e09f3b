"""Applications built on seqkit; run each from a clone with `python -m apps.<name>`."""
