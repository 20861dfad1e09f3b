import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqkit.attention import scores
from tests.reference import attention as reference

RANDOM = np.random.default_rng(0)
B, Q, T, D = 3, 2, 6, 4
QUERY, KEYS = RANDOM.standard_normal((B, Q, D)), RANDOM.standard_normal((B, T, D))
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
W, V, BIAS = (RANDOM.standard_normal(shape) for shape in ((D, D), (D,), (D,)))


def by_hand(score):
    """Compute score(s, h_j) for every row, query and position."""
    return np.array([[[score(s, h) for h in KEYS[b]] for s in QUERY[b]] for b in range(B)])


def same(found, wanted):
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-12, atol=1e-12)


def test_scores_match_the_papers():
    eye = np.eye(D)
    same(scores.dot(QUERY, KEYS), by_hand(reference.dot))
    same(scores.scaled_dot(QUERY, KEYS), by_hand(reference.scaled_dot))
    same(
        scores.additive(QUERY, KEYS, V), by_hand(lambda s, h: reference.additive(s, h, V, eye, eye))
    )
    same(
        scores.additive(QUERY, KEYS, V, BIAS),
        by_hand(lambda s, h: reference.additive(s, h, V, eye, eye, BIAS)),
    )
    same(scores.normalized(V, 2.0), reference.normalized(V, 2.0))


@pytest.mark.parametrize("reach", [1, 3])
def test_the_local_window_matches_luong(reach):
    e = scores.dot(QUERY, KEYS)
    factor, inside = scores.local_window(QUERY, MASK, W, V, reach)
    found = scores.masked_softmax(e, np.logical_and(MASK[:, None], inside)) * factor
    wanted = [
        [
            reference.local_p(np.asarray(e[b, q]), QUERY[b, q], MASK[b], W.T, V, reach)
            for q in range(Q)
        ]
        for b in range(B)
    ]
    same(found, wanted)
    sums = np.sum(found, axis=-1)
    assert (sums[:2] > 0.01).all() and (sums < 1).all() and not sums[2].any()


@pytest.mark.parametrize("width", [3, 4])
def test_location_features_match_chorowski(width):
    previous, F = RANDOM.random((B, T)), RANDOM.standard_normal((width, 2))
    found = scores.location_features(keras.ops.convert_to_tensor(previous), F)
    same(found, np.stack([reference.location(a, F.T) for a in previous]))


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays("float32", (3, 4), elements=st.floats(-1e5, 1e5, width=32)),
    arrays.arrays("bool", (3, 4)),
)
def test_weights_are_a_distribution_over_real_positions(e, mask):
    weights = np.asarray(scores.masked_softmax(e, mask))
    assert (weights >= 0).all() and not weights[~mask].any()
    np.testing.assert_allclose(weights.sum(axis=1), mask.any(axis=1), atol=1e-6)
    wanted = [
        reference.weights(row.astype("float64"), real) for row, real in zip(e, mask, strict=True)
    ]
    np.testing.assert_allclose(weights, wanted, atol=1e-5)


def test_masked_scores_may_be_nan_and_get_no_gradient():
    e = tf.Variable(np.where(MASK, KEYS[..., 0], np.nan))
    with tf.GradientTape() as tape:
        weights = scores.masked_softmax(e, MASK)
        loss = tf.reduce_sum(weights * np.arange(T))
    gradient = tape.gradient(loss, e).numpy()
    assert np.isfinite(gradient).all() and not gradient[~MASK].any() and gradient[:2].any()


def test_a_single_position_gets_weight_one_without_a_warning(recwarn):
    weights = scores.masked_softmax(np.array([[3.0], [np.nan]]), np.array([[True], [False]]))
    np.testing.assert_array_equal(weights, [[1.0], [0.0]])
    assert not recwarn.list


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_are_in_float32(dtype):
    e = keras.ops.cast(QUERY, dtype)
    assert scores.masked_softmax(e, True).dtype == "float32"
    # 0.0004 more than 1/4, which 16 bits can't represent
    weights = scores.masked_softmax(keras.ops.cast([[0, 0, 0, 0.002]], dtype), True)
    assert np.asarray(weights)[0, 3] > 0.2503
