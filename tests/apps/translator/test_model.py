import numpy as np
import pytest
from scipy.special import log_softmax

from apps.translator.model import SmoothedCrossentropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_smoothed_loss_is_that_of_the_paper(smoothing):
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 3, 5)).astype("float32")
    targets = random.integers(5, size=(2, 3))
    weights = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    log_p = log_softmax(logits, axis=-1)
    right = np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    expected = -(1 - smoothing) * right - smoothing * log_p.mean(axis=-1)
    loss = SmoothedCrossentropy(smoothing)(targets, logits, sample_weight=weights)
    np.testing.assert_allclose(loss, (expected * weights).sum() / weights.sum(), rtol=1e-5)
