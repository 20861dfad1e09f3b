"""Back-propagation through time in NumPy: Goodfellow et al. 2016, 10.2.2, one example at a time.

Model: a_t = b + W h_{t-1} + U x_t, h_t = tanh(a_t), o_t = c + V h_t, y_t = softmax(o_t);
loss: the sum over t of -log y_t[target_t]. Matrices multiply from the left, as in the book.
"""

import numpy as np

from tests.reference.jordan import softmax


def loss_and_gradients(xs, targets, U, W, b, V, c):
    """Return the loss and its gradients for xs (time, features) and targets (time,), ints."""
    time = len(xs)
    h = np.zeros((time + 1, len(b)))  # h[t] is the book's h(t), h[0] the state before
    y = np.zeros((time + 1, len(c)))
    for t in range(1, time + 1):
        h[t] = np.tanh(b + W @ h[t - 1] + U @ xs[t - 1])  # (10.8), (10.9)
        y[t] = softmax(c + V @ h[t])  # (10.10), (10.11)
    loss = -sum(np.log(y[t, targets[t - 1]]) for t in range(1, time + 1))  # (10.14)

    d_o = y.copy()
    for t in range(1, time + 1):
        d_o[t, targets[t - 1]] -= 1  # (10.17), (10.18): the gradient with respect to o(t)
    d_h = np.zeros_like(h)
    d_h[time] = V.T @ d_o[time]  # (10.19)
    for t in range(time - 1, 0, -1):  # (10.20), (10.21)
        d_h[t] = W.T @ np.diag(1 - h[t + 1] ** 2) @ d_h[t + 1] + V.T @ d_o[t]

    steps = range(1, time + 1)
    slope = [np.diag(1 - h[t] ** 2) for t in range(time + 1)]
    return loss, {
        "c": sum(d_o[t] for t in steps),  # (10.22)
        "b": sum(slope[t] @ d_h[t] for t in steps),  # (10.23)
        "V": sum(np.outer(d_o[t], h[t]) for t in steps),  # (10.24)
        "W": sum(np.outer(slope[t] @ d_h[t], h[t - 1]) for t in steps),  # (10.25), (10.26)
        "U": sum(np.outer(slope[t] @ d_h[t], xs[t - 1]) for t in steps),  # (10.27), (10.28)
    }
