"""Copy, repeat copy, associative recall, priority sort: fixed sets, as a TFDS builder."""
