"""Attention in NumPy, one query, position and row at a time, as in the papers.

Every score is a function of s and h_j, in the papers' shapes: matrices are on the left.
"""

import numpy as np


def additive(s, h_j, v, W_q, W_k, b=0.0, feedback=0.0):
    """Bahdanau et al. 2015, A.1.2; `feedback`: U f_j (Chorowski, eq. 9) or w c_j (See, eq. 11)."""
    return v @ np.tanh(W_q @ s + W_k @ h_j + feedback + b)


def normalized(v, g):
    """Salimans and Kingma 2016, eq. 2."""
    return g * v / np.linalg.norm(v)


def dot(s, h_j):
    """Luong et al. 2015, eq. 8."""
    return s @ h_j


def scaled_dot(s, h_j):
    """Vaswani et al. 2017, eq. 1."""
    return s @ h_j / np.sqrt(len(s))


def general(s, h_j, W):
    """Luong et al. 2015, eq. 8."""
    return s @ W @ h_j


def concat(s, h_j, v, W):
    """Luong et al. 2015, eq. 8."""
    return v @ np.tanh(W @ np.concatenate([s, h_j]))


def weights(scores, mask):
    """Softmax of a row over the real positions; zeros if there are none."""
    a = np.zeros(len(scores))
    if mask.any():
        e = np.exp(scores[mask] - scores[mask].max())
        a[mask] = e / e.sum()
    return a


def local_p(scores, s, mask, W_p, v_p, D):
    """Luong et al. 2015, eq. 9-10: the weights of a row in the window around p."""
    S = mask.sum()
    p = S / (1 + np.exp(-(v_p @ np.tanh(W_p @ s))))
    real = np.flatnonzero(mask)
    number = np.full(len(mask), np.inf)  # of each real position, from 0
    number[real] = np.arange(S)
    inside = mask & (np.abs(number - p) <= D)
    factor = np.zeros(len(mask))
    factor[inside] = np.exp(-((number[inside] - p) ** 2) / (2 * (D / 2) ** 2))
    return weights(scores, inside) * factor


def location(a, F):
    """Chorowski et al. 2015, eq. 8: f_j of each position, F (filters, width)."""
    width = F.shape[1]
    padded = np.pad(a, ((width - 1) // 2, width // 2))
    return np.stack([F @ padded[j : j + width] for j in range(len(a))])


def read(a, h):
    """c = sum_j a_j h_j over positions where a is not 0."""
    return sum((a_j * h_j for a_j, h_j in zip(a, h, strict=True) if a_j), np.zeros(h.shape[1]))


def pointer_generator(logits, s, a, x, w, b):
    """See et al. 2017, eq. 8-9: p of each word, for a row and a step."""
    p_gen = 1 / (1 + np.exp(-(w @ s + b)))
    p = p_gen * np.exp(logits) / np.exp(logits).sum()
    for a_j, x_j in zip(a, x, strict=True):
        p[x_j] += (1 - p_gen) * a_j
    return p


def before(xs, s, attend, step):
    """Bahdanau et al. 2015, A.2.2: every [s_t, c_t] and a_t of a row.

    attend(s) -> a, c;   step(x, c, s) -> s
    """
    outputs, alignment = [], []
    for x in xs:
        a, c = attend(s)
        s = step(x, c, s)
        outputs.append(np.concatenate([s, c]))
        alignment.append(a)
    return np.stack(outputs), np.stack(alignment)


def after(xs, s, attend, step, W_c, input_feeding):
    """Luong et al. 2015, eq. 5 and 3.3: every h~_t and a_t of a row."""
    outputs, alignment = [], []
    attentional = np.zeros(len(W_c))
    for x in xs:
        s = step(x, attentional if input_feeding else 0 * attentional, s)
        a, c = attend(s)
        attentional = np.tanh(W_c @ np.concatenate([c, s]))
        outputs.append(attentional)
        alignment.append(a)
    return np.stack(outputs), np.stack(alignment)
