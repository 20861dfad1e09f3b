"""The output-recurrent net in NumPy: Goodfellow et al. 2016, figure 10.4; Jordan 1986."""

import numpy as np


def step(x, y, U, W, b, V, c, g):
    """Return y_t, given x_t and y_{t-1}; g is the output non-linearity."""
    h = np.tanh(b + y @ W + x @ U)  # figure 10.4: W connects the output, not h
    o = c + h @ V  # (10.10)
    return g(o)  # (10.11), where g is the softmax


def unfold(xs, y, U, W, b, V, c, g):
    """Return every y_t, (batch, time, outputs)."""
    ys = []
    for t in range(xs.shape[1]):
        y = step(xs[:, t], y, U, W, b, V, c, g)
        ys.append(y)
    return np.stack(ys, axis=1)


def softmax(o):
    e = np.exp(o - o.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
