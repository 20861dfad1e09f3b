"""End-to-end memory network in NumPy, one story and word at a time.

Sukhbaatar et al. 2015, "End-to-end memory networks", section 2 (with its equation numbers) and 4.1.
"""

import numpy as np


def position_encoding(J, d):
    """l[j, k] for word j and unit k, both counted from 1."""
    l = np.zeros((J, d))  # noqa: E741 (the paper's letter)
    for j in range(1, J + 1):
        for k in range(1, d + 1):
            l[j - 1, k - 1] = (1 - j / J) - (k / d) * (1 - 2 * j / J)
    return l


def encode(words, E, positions=True):
    """Embed a sentence of ids with E (vocabulary, d)."""
    d = E.shape[1]
    l = position_encoding(len(words), d) if positions else np.ones((len(words), d))  # noqa: E741
    return sum((l[j] * E[word] for j, word in enumerate(words)), np.zeros(d))


def answer(facts, question, A, C, B, T_A, T_C, H=None, positions=True):
    """Return u^{K+1} (d,) and p (K, facts) of a story.

    facts: lists of ids, the most recent last; A, C, T_A, T_C: one per hop; rows of T: the most
    recent fact first.
    """
    u, attention = encode(question, B, positions), []
    for A_k, C_k, TA_k, TC_k in zip(A, C, T_A, T_C, strict=True):
        ages = range(len(facts) - 1, -1, -1)
        pairs = list(zip(facts, ages, strict=True))
        m = np.array([encode(x, A_k, positions) + TA_k[age] for x, age in pairs])
        c = np.array([encode(x, C_k, positions) + TC_k[age] for x, age in pairs])
        scores = np.exp(m @ u)
        p = scores / scores.sum()  # (1)
        o = p @ c  # (2)
        u = (u if H is None else u @ H) + o  # (4)
        attention.append(p)
    return u, np.array(attention)
