"""The neural Turing machine in NumPy, for one sequence (Graves et al. 2014).

Memory is (slots, word) here, as in the paper.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.log1p(np.exp(a))


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def cosine(k, m):
    """(6); the epsilons are a deviation."""
    return k @ m / np.sqrt((k @ k + 1e-6) * (m @ m + 0.1))


def address(M, w, k, beta, g, s, gamma):
    """Return the next weighting of a head from its unbounded interface."""
    beta, g, s, gamma = softplus(beta), sigmoid(g), softmax(s), 1 + softplus(gamma)
    content = softmax(beta * np.array([cosine(k, m) for m in M]))  # (5)
    gated = g * content + (1 - g) * w  # (7)
    r, slots = len(s) // 2, len(w)
    shifted = np.zeros(slots)
    for i in range(slots):
        for j in range(-r, r + 1):
            shifted[i] += gated[(i - j) % slots] * s[r + j]  # (8)
    sharp = (shifted + 1e-6) ** gamma  # (9), with our epsilon in the logarithm
    return sharp / sharp.sum()


def unfold(xs, M, w_read, w_write, controller, interface, word, shifts):
    """Return every output [h_t, r_t] with a feed-forward controller.

    controller, interface: (kernel, bias); w_read (reads, slots), w_write (writes, slots).
    """
    M, w_read, w_write = M.copy(), w_read.copy(), w_write.copy()
    reads, writes = len(w_read), len(w_write)
    heads = reads + writes
    r, outputs = np.zeros((reads, word)), []
    for x in xs:
        h = np.tanh(np.concatenate([x, r.ravel()]) @ controller[0] + controller[1])
        xi = h @ interface[0] + interface[1]
        widths = [heads * word, heads, heads, heads * shifts, heads, writes * word, writes * word]
        k, beta, g, s, gamma, e, a = np.split(xi, np.cumsum(widths)[:-1])
        k, s = k.reshape(heads, word), s.reshape(heads, shifts)
        e, a = sigmoid(e).reshape(writes, word), a.reshape(writes, word)
        for i in range(writes):
            n = reads + i
            w_write[i] = address(M, w_write[i], k[n], beta[n], g[n], s[n], gamma[n])
        for i in range(writes):
            M = M * (1 - np.outer(w_write[i], e[i]))  # (3)
        for i in range(writes):
            M = M + np.outer(w_write[i], a[i])  # (4)
        for n in range(reads):
            w_read[n] = address(M, w_read[n], k[n], beta[n], g[n], s[n], gamma[n])
            r[n] = w_read[n] @ M  # (2)
        outputs.append(np.concatenate([h, r.ravel()]))
    return np.array(outputs)
