"""The differentiable neural computer in NumPy, slot by slot.

Graves et al. 2016, "Hybrid computing using a neural network with dynamic external memory", Methods.
Memory is (batch, slots, word) as in the paper; one example at a time.
"""

from types import SimpleNamespace

import numpy as np

EPSILON = 1e-6  # deviation: in the norm of a key, and the value of a usage of 0
SLOT_NORM_EPSILON = 0.1  # deviation: in the norm of a slot


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def oneplus(a):
    return 1 + np.log1p(np.exp(a))


def content(M, k, beta):
    norms = np.sqrt((M**2).sum(1) + SLOT_NORM_EPSILON) * np.sqrt((k**2).sum() + EPSILON)
    return softmax(beta * (M @ k) / norms)


def allocation(u):
    """Eq. 1: walk down the free list, slots in ascending order of usage."""
    a = np.zeros_like(u)
    product = 1.0
    for slot in np.argsort(u, kind="stable"):
        used = EPSILON + (1 - EPSILON) * u[slot]
        a[slot] = (1 - used) * product
        product *= used
    return a


def step(xi, s):
    """Apply an interface vector to the memory; return r (reads, word) and the new state."""
    (reads, slots), word = s.w_r.shape, s.M.shape[1]
    sizes = [reads * word, reads, word, 1, word, word, reads, 1, 1, 3 * reads]
    k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi = np.split(xi, np.cumsum(sizes)[:-1])
    k_r, pi = k_r.reshape(reads, word), pi.reshape(reads, 3)
    beta_r, beta_w = oneplus(beta_r), oneplus(beta_w)
    e, f, g_a, g_w = sigmoid(e), sigmoid(f), sigmoid(g_a), sigmoid(g_w)

    psi = np.prod([1 - f[r] * s.w_r[r] for r in range(reads)], axis=0)
    u = (s.u + s.w_w - s.u * s.w_w) * psi
    w_w = g_w * (g_a * allocation(u) + (1 - g_a) * content(s.M, k_w, beta_w))
    M = s.M * (1 - np.outer(w_w, e)) + np.outer(w_w, v)

    L = np.zeros((slots, slots))
    for i in range(slots):
        for j in range(slots):
            if i != j:
                L[i, j] = (1 - w_w[i] - w_w[j]) * s.L[i, j] + w_w[i] * s.p[j]
    p = (1 - w_w.sum()) * s.p + w_w

    w_r = np.zeros((reads, slots))
    for r in range(reads):
        backward, forward = L.T @ s.w_r[r], L @ s.w_r[r]
        pi_r = softmax(pi[r])
        w_r[r] = pi_r[0] * backward + pi_r[1] * content(M, k_r[r], beta_r[r]) + pi_r[2] * forward
    return w_r @ M, SimpleNamespace(M=M, u=u, p=p, L=L, w_w=w_w, w_r=w_r)


def unfold(xs, s, r, controller, W, b):
    """Return outputs (time, units + reads word) and the last state for a sequence (time, features).

    s: the initial M, u, p, L, w_w and w_r; r: the words read initially.
    `controller` maps [x_t, r_{t-1}] to h_t; W and b are those of the interface.
    """
    outputs = []
    for x in xs:
        h = controller(np.concatenate([x, r.ravel()]))
        r, s = step(h @ W + b, s)
        outputs.append(np.concatenate([h, r.ravel()]))
    return np.stack(outputs), s
