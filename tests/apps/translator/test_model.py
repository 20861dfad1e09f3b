import numpy as np
import pytest
from scipy.special import log_softmax

from apps.common.errors import UserError
from apps.translator.config import Config
from apps.translator.model import SmoothedCrossentropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_smoothed_loss_follows_its_equation(smoothing):
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 3, 5)).astype("float32")
    targets = random.integers(5, size=(2, 3))
    weights = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    log_p = log_softmax(logits, axis=-1)
    gold = np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    expected = -(1 - smoothing) * gold - smoothing * log_p.mean(axis=-1)
    loss = SmoothedCrossentropy(smoothing)(targets, logits, sample_weight=weights)
    np.testing.assert_allclose(loss, (expected * weights).sum() / weights.sum(), rtol=1e-5)


@pytest.mark.parametrize("kind", [{"joint": False}, {"attention": "none"}], ids=str)
def test_copying_requires_shared_pieces_and_attention(kind):
    with pytest.raises(UserError, match="copy requires joint pieces"):
        Config(copy=True, **kind)
