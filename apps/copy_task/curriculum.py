"""The lengths of the training sequences.

`prediction_gain` is the curriculum of Graves et al. 2017, Automated Curriculum Learning for Neural
Networks: self prediction gain, and the bandit Exp3.S over lengths. It most often samples the
lengths on which the model makes the most progress. Deviations: the gain of a length is its loss on
fixed sequences before an epoch minus the loss after it, where the paper draws a new sequence before
and after each step. Therefore every epoch gives the gain of all lengths, no reward is divided by
its probability, and the learning rate is per epoch.
"""

import numpy as np

from apps.common.app import History
from apps.copy_task.config import Config
from apps.copy_task.tasks import task

EXPLORATION = 0.05  # ε: share of steps with a uniformly drawn length
RATE = 1.0  # η, per epoch; 0.001 per step in the paper, which trains far longer
QUANTILES = (0.2, 0.8)  # of all gains so far, which become the rewards -1 and 1


def lengths(config: Config) -> np.ndarray:
    """Return the lengths of the training sequences, the shortest first."""
    if config.curriculum == "none":
        return np.array([config.max_length])
    return np.arange(task(config).min_length, config.max_length + 1)


def probabilities(config: Config, epoch: int, history: History) -> np.ndarray:
    """Compute the probability of each length in an epoch.

    Args:
        config: Configuration, whose curriculum is `none` (only the longest), `uniform` or
            `prediction_gain`.
        epoch: Number of the epoch, from 1.
        history: Lines of `metrics.jsonl`, at least those before this epoch, with `val_loss_LENGTH`
            for each length if the curriculum is `prediction_gain`.

    Returns:
        Probabilities of `lengths(config)`.
    """
    names = [f"val_loss_{length}" for length in lengths(config)]
    n = len(names)
    if config.curriculum != "prediction_gain" or n == 1:
        return np.full(n, 1 / n)
    lines = history[: epoch - 1]
    losses = np.array([[line[name] for name in names] for line in lines]).reshape(-1, n)
    return exp3s(losses[:-1] - losses[1:])


def exp3s(gains: np.ndarray) -> np.ndarray:
    """Compute the policy of Exp3.S, with scaled rewards, after gains (Graves et al. 2017, 2).

    Args:
        gains: Loss per step before an epoch minus the loss after it, (epochs, lengths), at least
            two lengths.

    Returns:
        Probabilities (lengths,).

    Example:
        >>> exp3s(np.array([[0.0, 0.1, 0.5]])).round(2).tolist()
        [0.28, 0.29, 0.43]
    """
    n = gains.shape[1]
    weights = np.zeros(n)  # logarithms
    for t in range(1, len(gains) + 1):
        low, high = np.quantile(gains[:t], QUANTILES)
        width = high - low or 1.0
        reward = np.clip(2 * (gains[t - 1] - low) / width - 1, -1, 1)
        share = 1 / (t + 1)  # α: share of a weight that goes to the others
        grown = np.exp(weights + RATE * reward)
        others = (grown.sum() - grown) / (n - 1)
        weights = np.log((1 - share) * grown + share * others)
        weights -= weights.max()  # doesn't change the probabilities
    policy = np.exp(weights) / np.exp(weights).sum()
    return (1 - EXPLORATION) * policy + EXPLORATION / n
