"""The LSTM and its published variants in NumPy.

Goodfellow et al. 2016, 10.40-10.44; peepholes: Gers and Schmidhuber 2000; projection: Sak et al.
2014, eq. 1-6; layer normalization: Ba et al. 2016, eq. 20-22; coupled gates: Greff et al. 2017.
"""

from types import SimpleNamespace

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def normalize(a, gain, bias=0.0, epsilon=1e-3):
    """Ba et al., eq. 4, over the units of one example. The epsilon is Keras's."""
    centered = a - a.mean(axis=-1, keepdims=True)
    return centered / np.sqrt(a.var(axis=-1, keepdims=True) + epsilon) * gain + bias


def step(x, h, c, w):
    """Return (h_t, c_t). `w` holds U, W, b as blocks side by side: i, f, g, o; f, g, o if coupled.

    Further attributes of `w`, each optional: p (gate -> peephole), alpha (three gains) and beta,
    V (the projection), coupled.
    """
    recurrent, projected = h @ w.W, x @ w.U
    if hasattr(w, "alpha"):
        recurrent = normalize(recurrent, w.alpha[0])  # Ba (20); b is beta_1 + beta_2 + b
        projected = normalize(projected, w.alpha[1])  # Ba (20)
    coupled = getattr(w, "coupled", False)
    names = "fgo" if coupled else "ifgo"
    a = dict(zip(names, np.split(w.b + recurrent + projected, len(names), axis=-1), strict=True))
    p = getattr(w, "p", dict.fromkeys("ifo", 0.0))

    f = sigmoid(a["f"] + p["f"] * c)  # (10.40); Gers: peepholes to c_{t-1}
    i = 1 - f if coupled else sigmoid(a["i"] + p["i"] * c)  # (10.42); Greff, CIFG: i = 1 - f
    g = np.tanh(a["g"])  # Sak (3): g is tanh; the book's (10.41) has a sigmoid
    c = f * c + i * g  # (10.41)
    o = sigmoid(a["o"] + p["o"] * c)  # (10.44); Gers: peephole to c_t
    normalized = normalize(c, w.alpha[2], w.beta) if hasattr(w, "alpha") else c  # Ba (22)
    h = np.tanh(normalized) * o  # (10.43)
    if hasattr(w, "V"):
        h = h @ w.V  # Sak (6): r_t = W_rm m_t, which is fed back instead of m_t
    return h, c


def unfold(xs, h, c, w):
    """Return every h_t (batch, time, units), and the last c."""
    hs = []
    for t in range(xs.shape[1]):
        h, c = step(xs[:, t], h, c, w)
        hs.append(h)
    return np.stack(hs, axis=1), c


def weights(**named):
    """Return a namespace of arrays for `step`."""
    return SimpleNamespace(**named)
