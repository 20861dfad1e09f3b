"""The gated recurrent unit in NumPy: Cho et al. 2014, eq. 5-8; Chung et al. 2014.

Goodfellow et al. 2016, 10.45-10.47, delays the gates by a step; the papers and this file do not.
"""

import numpy as np

from tests.reference.lstm import sigmoid


def step(x, h, U, W, b, d=None):
    """Return h_t. U, W, b hold the blocks z, r, n side by side.

    With `d`, the recurrent bias, the reset gate multiplies W_n h + d_n instead of h.
    """
    x_z, x_r, x_n = np.split(b + x @ U, 3, axis=-1)
    W_z, W_r, W_n = np.split(W, 3, axis=-1)
    d_z, d_r, d_n = np.zeros((3, h.shape[-1])) if d is None else np.split(d, 3)

    r = sigmoid(x_r + h @ W_r + d_r)  # Cho (5); (10.47)
    z = sigmoid(x_z + h @ W_z + d_z)  # Cho (6); (10.46)
    # Cho (8), (10.45): the reset gate multiplies h; with d, the product
    product = (r * h) @ W_n if d is None else r * (h @ W_n + d_n)
    n = np.tanh(x_n + product)
    return z * h + (1 - z) * n  # Cho (7); (10.45): z keeps the old state


def unfold(xs, h, U, W, b, d=None):
    """Return every h_t, (batch, time, units)."""
    hs = []
    for t in range(xs.shape[1]):
        h = step(xs[:, t], h, U, W, b, d)
        hs.append(h)
    return np.stack(hs, axis=1)
