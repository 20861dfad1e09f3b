"""Copy, repeat copy, associative recall and priority sort of random bits."""
