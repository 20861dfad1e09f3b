"""Sparse-access memory in NumPy, with weightings over all slots, most of them zero.

Rae et al. 2016, "Scaling memory-augmented neural networks with sparse reads and writes", section 3,
with its equation numbers.
"""

from types import SimpleNamespace

import numpy as np

DELTA = 0.005  # the paper's threshold of an access
EPSILON = 1e-6  # deviation: in the norms


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cosine(words, q):
    norms = np.sqrt((words**2).sum(-1) + EPSILON) * np.sqrt((q**2).sum() + EPSILON)
    return words @ q / norms


def step(xi, s, neighbours):
    """Apply an interface vector to the memory; return r (heads, word) and the new state.

    s: M (slots, word), accessed (slots), w_r (heads, slots).
    """
    (heads, slots), word = s.w_r.shape, s.M.shape[1]
    sizes = [heads * word, heads, heads * word, heads, heads]
    q, beta, a, alpha, gamma = np.split(xi, np.cumsum(sizes)[:-1])
    q, a = q.reshape(heads, word), a.reshape(heads, word)
    beta, alpha, gamma = np.log1p(np.exp(beta)), sigmoid(alpha), sigmoid(gamma)

    indicator = np.eye(slots)[np.argsort(s.accessed, kind="stable")[:heads]]  # (6)
    w_w = alpha[:, None] * (gamma[:, None] * s.w_r + (1 - gamma[:, None]) * indicator)  # (5)
    M = (1 - indicator.sum(0))[:, None] * s.M + w_w.T @ a  # (3)

    w_r = np.zeros((heads, slots))
    for h in range(heads):
        near = np.argsort(-cosine(M, q[h]), kind="stable")[:neighbours]
        e = np.exp(beta[h] * cosine(M[near], q[h]))
        w_r[h, near] = e / e.sum()
    is_access = ((w_w > DELTA) | (w_r > DELTA)).any(0)
    accessed = np.where(is_access, s.accessed.max() + 1, s.accessed)
    return w_r @ M, SimpleNamespace(M=M, accessed=accessed, w_r=w_r, w_w=w_w)  # (4)


def unfold(xs, s, r, controller, W, b, neighbours):
    """Return outputs (time, units + heads word) and the last state for (time, features)."""
    outputs = []
    for x in xs:
        h = controller(np.concatenate([x, r.ravel()]))
        r, s = step(h @ W + b, s, neighbours)
        outputs.append(np.concatenate([h, r.ravel()]))
    return np.stack(outputs), s
