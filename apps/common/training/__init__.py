"""Training that can be killed at any moment: the loop, its checkpoint, its progress line."""
