import numpy as np
import pytest

from apps.copy_task.config import Config
from apps.copy_task.curriculum import EXPLORATION, RATE, exp3s, lengths, probabilities


def gaining(config, length, epochs):
    """Return a history in which only one length improves."""
    return [
        {f"val_loss_{n}": 1 - 0.1 * epoch * (n == length) for n in lengths(config)}
        for epoch in range(epochs)
    ]


def test_without_a_curriculum_all_sequences_have_the_maximum_length():
    config = Config(curriculum="none", max_length=7)
    assert lengths(config).tolist() == [7]
    assert probabilities(config, 1, []).tolist() == [1]


def test_uniform_lengths_begin_with_the_shortest():
    config = Config(curriculum="uniform", max_length=4)
    assert lengths(config).tolist() == [1, 2, 3, 4]
    assert probabilities(config, 9, []).tolist() == [0.25] * 4
    recall = Config(curriculum="uniform", task="associative_recall", max_length=4)
    assert lengths(recall).tolist() == [2, 3, 4]


def test_the_length_with_the_largest_gain_is_sampled_most():
    config = Config(curriculum="prediction_gain", max_length=5)
    history = gaining(config, 3, epochs=8)
    likely = probabilities(config, 9, history)
    assert likely.sum() == pytest.approx(1)
    assert likely.argmax() == 2 and likely[2] > 0.5
    assert likely.min() >= EXPLORATION / 5
    np.testing.assert_allclose(likely[[0, 1, 3, 4]], likely[0])


def test_a_length_without_further_gain_is_sampled_less():
    config = Config(curriculum="prediction_gain", max_length=5)
    history = gaining(config, 3, epochs=8)
    for _ in range(12):  # now 4 improves
        history.append({**history[-1], "val_loss_4": history[-1]["val_loss_4"] - 0.1})
    likely = probabilities(config, len(history) + 1, history)
    assert likely.argmax() == 3


@pytest.mark.parametrize("epoch", [1, 2])
def test_with_fewer_than_two_scores_there_is_no_gain(epoch):
    config = Config(curriculum="prediction_gain", max_length=5)
    likely = probabilities(config, epoch, gaining(config, 3, epochs=8))
    np.testing.assert_allclose(likely, 0.2)


def test_lines_after_an_epoch_are_ignored():
    config = Config(curriculum="prediction_gain", max_length=5)
    history = gaining(config, 3, epochs=8)
    expected = probabilities(config, 4, history[:3])
    np.testing.assert_array_equal(probabilities(config, 4, history), expected)
    assert not np.allclose(probabilities(config, 9, history), expected)


def test_a_single_length_always_has_probability_1():
    config = Config(curriculum="prediction_gain", max_length=1)
    assert probabilities(config, 3, []).tolist() == [1]


def test_exp3s_by_hand():
    # Quantiles of (0, 1): 0.2 and 0.8, so the rewards are -1 and 1; with α = 1/2 the weights become
    # equal.
    np.testing.assert_allclose(exp3s(np.array([[0.0, 1.0]])), [0.5, 0.5])
    # Quantiles of (0, 0, 1): 0 and 0.6, rewards -1, -1, 1; half of each weight goes to the others.
    low, high = np.exp(-RATE), np.exp(RATE)
    weights = np.array([low / 2 + (low + high) / 4, low / 2 + (low + high) / 4, (high + low) / 2])
    expected = (1 - EXPLORATION) * weights / weights.sum() + EXPLORATION / 3
    np.testing.assert_allclose(exp3s(np.array([[0.0, 0.0, 1.0]])), expected)


def test_exp3s_stays_finite():
    for gains in (np.zeros((5, 3)), np.full((4, 3), 1e300), np.tile([1e9, -1e9, 0], (3000, 1))):
        policy = exp3s(gains)
        assert np.isfinite(policy).all() and policy.sum() == pytest.approx(1)
