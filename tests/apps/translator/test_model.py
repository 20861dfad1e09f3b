from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax

from apps.common.errors import UserError
from apps.translator.config import Config
from apps.translator.model import SmoothedCrossentropy, Steps, build


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


@pytest.mark.parametrize(
    "kind",
    [
        {"attention": "none"},
        {"attention": "luong", "cell": "lstm", "layers": 2},
        {"attention": "coverage", "joint": False},
        {"copy": True},
    ],
    ids=str,
)
def test_step_by_step_it_says_what_the_trained_network_says(kind):
    keras.utils.set_random_seed(0)
    data = SimpleNamespace(subwords=SimpleNamespace(sizes=(30, 30)), steps_per_epoch=10)
    model = build(Config(units=8, embedding_size=8, **kind), data)
    random = np.random.default_rng(0)
    source, target = random.integers(4, 30, (2, 3, 6)).astype("int32")
    source[1, 4:] = 0
    expected = log_softmax(model({"source": source, "target": target}), axis=-1)
    steps = Steps(model)
    state, constants = steps.begin(source)
    for t in range(6):
        log_p, state = steps.step(ops.convert_to_tensor(target[:, t]), state, constants)
        np.testing.assert_allclose(log_p, expected[:, t], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [{"joint": False}, {"attention": "none"}], ids=str)
def test_nothing_is_copied_without_shared_pieces_or_attention(kind):
    with pytest.raises(UserError, match="copy needs joint pieces"):
        Config(copy=True, **kind)
