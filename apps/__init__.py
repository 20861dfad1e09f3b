"""Applications on seqkit; used from a clone, each by `python -m apps.<name>`."""
