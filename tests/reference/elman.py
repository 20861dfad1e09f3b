"""The plain recurrent net in NumPy: Goodfellow et al. 2016, section 10.2.

Rows are examples: the book's `U x` is `x @ U`.
"""

import numpy as np


def step(x, h, U, W, b):
    """Return h_t, given x_t and h_{t-1}."""
    a = b + h @ W + x @ U  # (10.8)
    return np.tanh(a)  # (10.9)


def unfold(xs, h, U, W, b):
    """Return every h_t, (batch, time, units)."""
    hs = []
    for t in range(xs.shape[1]):
        h = step(xs[:, t], h, U, W, b)
        hs.append(h)
    return np.stack(hs, axis=1)
