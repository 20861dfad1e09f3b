"""A linear-chain CRF in float64: Lafferty et al. 2001, by the recursions of Collobert et al. 2011.

Potentials are those of sentences of one length without padding, (batch, time, tags, tags), and
every path starts in tag 0. Scores of whole sequences are sums of all their potentials: in float64
that is precise.
"""

import numpy as np


def potentials(scores, transitions, start, end):
    scores = np.maximum(scores.astype(np.float64), -1e9)
    p = transitions + scores[:, :, None, :]
    p[:, 0] = (start + scores[:, 0])[:, None, :]
    p[:, -1] += end
    return p


def log_sum_exp(x, axis):
    best = x.max(axis=axis, keepdims=True)
    return (best + np.log(np.exp(x - best).sum(axis=axis, keepdims=True))).squeeze(axis)


def forward(p):
    """alpha_t[j] = log sum_i exp(alpha_{t-1}[i] + P_t[i, j]); also before the first step."""
    batch, time, count, _ = p.shape
    alpha = np.full((time + 1, batch, count), -1e12)
    alpha[0, :, 0] = 0
    for t in range(time):
        alpha[t + 1] = log_sum_exp(alpha[t][:, :, None] + p[:, t], axis=1)
    return alpha.swapaxes(0, 1)


def backward(p):
    """beta_{t-1}[i] = log sum_j exp(P_t[i, j] + beta_t[j]); also after the last step."""
    batch, time, count, _ = p.shape
    beta = np.zeros((time + 1, batch, count))
    for t in reversed(range(time)):
        beta[t] = log_sum_exp(p[:, t] + beta[t + 1][:, None, :], axis=2)
    return beta.swapaxes(0, 1)


def log_partition(p):
    return log_sum_exp(forward(p)[:, -1], axis=1)


def path_score(tags, p):
    before = np.pad(tags[:, :-1], ((0, 0), (1, 0)))
    return p[np.arange(len(p))[:, None], np.arange(p.shape[1]), before, tags].sum(axis=1)


def edges(p):
    """p(y_{t-1} = i, y_t = j | x), (batch, time, tags, tags): the gradient of log Z."""
    x = forward(p)[:, :-1, :, None] + p + backward(p)[:, 1:, None, :]
    x -= x.max(axis=(2, 3), keepdims=True)  # log Z, up to what it is rounded by
    return np.exp(x) / np.exp(x).sum(axis=(2, 3), keepdims=True)


def n_best(p, n):
    """The scores (batch, n) of the n best sequences, and their tags, by list Viterbi."""
    batch, time, count, _ = p.shape
    delta = np.full((batch, count, n), -1e12)
    delta[:, 0, 0] = 0
    sources = np.zeros((time, batch, count, n), int)  # from * n + rank
    for t in range(time):
        paths = (delta[:, :, None, :] + p[:, t, :, :, None]).swapaxes(1, 2)
        paths = paths.reshape(batch, count, count * n)
        sources[t] = np.argsort(-paths, axis=2, kind="stable")[..., :n]
        delta = np.take_along_axis(paths, sources[t], axis=2)
    ends = np.argsort(-delta.reshape(batch, -1), axis=1, kind="stable")[:, :n]  # tag * n + rank
    scores = np.take_along_axis(delta.reshape(batch, -1), ends, axis=1)
    at, tags = ends, np.zeros((time, batch, n), int)
    for t in reversed(range(time)):
        tags[t] = at // n
        at = np.take_along_axis(sources[t].reshape(batch, -1), at, axis=1)
    return scores, tags.transpose(1, 2, 0)
