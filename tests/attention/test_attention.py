"""The attention layers: the papers' equations from their weights, padding, precision, errors."""

import keras
import numpy as np
import pytest

from seqkit.attention import (
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
    Memory,
)
from seqkit.testing.case import Case, weighted_sum
from tests.reference import attention as reference

RANDOM = np.random.default_rng(0)
QUERY, MEMORY = RANDOM.standard_normal((3, 4)), RANDOM.standard_normal((3, 6, 4))
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
PREVIOUS = RANDOM.random((3, 6))


def of_bahdanau(p, s, h, mask, previous):
    v = reference.normalized(p["v"], p["g"]) if "g" in p else p["v"]
    feedback = np.zeros((len(h), len(v)))
    if "filters" in p:
        feedback = reference.location(previous, p["filters"].T) @ p["location_kernel"]
    if "coverage_kernel" in p:
        feedback = previous[:, None] * p["coverage_kernel"]
    W_q, W_k, b = p["query_kernel"].T, p["key_kernel"].T, p.get("bias", 0.0)
    e = [reference.additive(s, h_j, v, W_q, W_k, b, f) for h_j, f in zip(h, feedback, strict=True)]
    return reference.weights(np.array(e), mask)


def of_luong(score, window=None):
    def weights(p, s, h, mask, previous):
        if score == "concat":
            W = np.concatenate([p["query_kernel"], p["key_kernel"]]).T
            e = [reference.concat(s, h_j, p["v"], W) for h_j in h]
        elif score == "general":
            e = [reference.general(s, h_j, p["key_kernel"].T) for h_j in h]
        else:
            e = [getattr(reference, score)(s, h_j) for h_j in h]
        if window is None:
            return reference.weights(np.array(e), mask)
        W_p, v_p = p["window_kernel"].T, p["window_v"]
        return reference.local_p(np.array(e), s, mask, W_p, v_p, window)

    return weights


# name: (layer, reference in NumPy)
KINDS = {
    "bahdanau": (lambda **k: BahdanauAttention(5, **k), of_bahdanau),
    "bahdanau normalized": (lambda **k: BahdanauAttention(5, normalize=True, **k), of_bahdanau),
    "location": (lambda **k: LocationAwareAttention(5, filters=2, kernel_size=3, **k), of_bahdanau),
    "coverage": (lambda **k: CoverageAttention(5, normalize=True, **k), of_bahdanau),
    **{
        score: (lambda score=score, **k: LuongAttention(score, **k), of_luong(score))
        for score in ("dot", "scaled_dot", "general", "concat")
    },
    "local": (lambda **k: LuongAttention("general", window=2, **k), of_luong("general", 2)),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def random_attention(kind, **kwargs):
    """Return a built layer with random weights."""
    attention = KINDS[kind][0](**kwargs)
    attention(QUERY, MEMORY)
    random = np.random.default_rng(1)
    for weight in attention.weights:
        weight.assign(random.standard_normal(weight.shape))
    return attention


def numbers(x):
    return keras.ops.convert_to_numpy(x)


def more(attention):
    return {"previous": PREVIOUS} if attention.feedback else {}


@each_kind
def test_it_computes_the_papers_equations(kind):
    attention = random_attention(kind, return_weights=True, dtype="float64")
    p = {name: numbers(w) for name, w in attention.parameters().items()}
    c, a = attention(QUERY, MEMORY, mask=MASK, **more(attention))
    for row, (s, h, mask, previous) in enumerate(zip(QUERY, MEMORY, MASK, PREVIOUS, strict=True)):
        wanted = KINDS[kind][1](p, s, h, mask, previous)
        np.testing.assert_allclose(a[row], wanted, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(c[row], reference.read(wanted, h), rtol=1e-10, atol=1e-12)


@each_kind
def test_feedback_defaults_to_zeros(kind):
    attention = random_attention(kind)
    zeros = {"previous": np.zeros((3, 6))} if attention.feedback else {}
    default, explicit = attention(QUERY, MEMORY), attention(QUERY, MEMORY, **zeros)
    np.testing.assert_array_equal(numbers(default), numbers(explicit))


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("location", "coverage")])
def test_a_sequence_of_queries_equals_single_queries(kind):
    attention = random_attention(kind, return_weights=True)
    queries = np.stack([QUERY, 2 * QUERY, -QUERY], axis=1)
    c, a = attention(queries, MEMORY, mask=MASK)
    for k in range(3):
        one_c, one_a = attention(queries[:, k], MEMORY, mask=MASK)
        np.testing.assert_allclose(a[:, k], one_a, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(c[:, k], one_c, rtol=1e-5, atol=1e-6)


@each_kind
def test_padding_is_never_read(kind):
    """In the forward and the backward pass; an all-padding row reads zeros."""
    attention = random_attention(kind, return_weights=True)
    anything = np.where(MASK[..., None], MEMORY, np.nan)
    previous = np.where(MASK, PREVIOUS, 0)
    extra = {"previous": previous} if attention.feedback else {}
    results = []
    for memory in (MEMORY, anything):
        case = Case(lambda: attention, QUERY, {"memory": memory, "mask": MASK, **extra})
        results.append([*case.numbers(attention), *case.gradients(attention, weighted_sum)])
    for clean, dirty in zip(*results, strict=True):
        assert np.isfinite(clean).all()
        np.testing.assert_array_equal(clean, dirty)
    c, a = results[0][:2]
    assert not a[~MASK].any() and not a[2].any() and not c[2].any() and (a >= 0).all()
    if kind == "local":
        assert (a.sum(axis=1) < 1).all()
    else:
        np.testing.assert_allclose(a.sum(axis=1), [1, 1, 0], atol=1e-6)


@each_kind
def test_the_position_of_padding_does_not_matter(kind):
    attention = random_attention(kind)
    plain = numbers(attention(QUERY, MEMORY))
    noise = np.full((3, 2, 4), 7.0)
    for side in (1, -1):
        parts, masks = (
            [MEMORY, noise][::side],
            [np.ones((3, 6), bool), np.zeros((3, 2), bool)][::side],
        )
        memory, mask = np.concatenate(parts, axis=1), np.concatenate(masks, axis=1)
        np.testing.assert_allclose(attention(QUERY, memory, mask=mask), plain, rtol=1e-5, atol=1e-6)


def test_a_propagated_keras_mask_is_used():
    ids = np.array([[3, 1, 0], [0, 2, 0]])
    memory = keras.layers.Embedding(4, 4, mask_zero=True)(ids)
    _, a = LuongAttention(return_weights=True)(QUERY[:2], memory)
    np.testing.assert_array_equal(numbers(a) > 0, ids != 0)


@each_kind
def test_a_prepared_memory_gives_the_same_weights(kind):
    attention = random_attention(kind, return_weights=True)
    memory = attention.prepare(MEMORY, MASK)
    assert isinstance(memory, Memory) and memory.mask.dtype == "bool"
    weights = attention.compute_weights(QUERY, memory, **more(attention))
    np.testing.assert_array_equal(weights, attention(QUERY, MEMORY, MASK, **more(attention))[1])


@each_kind
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_weights_are_in_float32_under_half_precision(kind, policy):
    attention = random_attention(kind, return_weights=True, dtype=policy)
    c, a = attention(QUERY, MEMORY, mask=MASK)
    assert keras.backend.standardize_dtype(a.dtype) == "float32"
    assert keras.backend.standardize_dtype(c.dtype) == attention.compute_dtype


@pytest.mark.parametrize("kind", ["location", "coverage"])
def test_attention_with_feedback_takes_one_query(kind):
    attention = random_attention(kind)
    with pytest.raises(ValueError, match=r"give one query .* or use AttentionCell\. Got"):
        attention(QUERY[:, None], MEMORY)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="score is 'cosine'; it must be one of"):
        LuongAttention("cosine")
    with pytest.raises(ValueError, match="window is 0; it must be a positive int"):
        LuongAttention(window=0)
    with pytest.raises(ValueError, match="units is -1; it must be a positive int"):
        BahdanauAttention(-1)
    with pytest.raises(ValueError, match="query is 3 wide and the memory 4; 'dot' requires equal"):
        LuongAttention()(QUERY[:, :3], MEMORY)
    with pytest.raises(ValueError, match="has no weights yet to compute keys with"):
        BahdanauAttention(5).prepare(MEMORY)


def test_the_list_of_kerass_layers_is_the_same_as_query_and_memory():
    attention = LuongAttention()
    found = attention([QUERY, MEMORY, MEMORY], mask=MASK)
    np.testing.assert_array_equal(found, attention(QUERY, MEMORY, mask=MASK))
    query, memory = keras.Input((4,)), keras.Input((None, 4))
    model = keras.Model([query, memory], attention([query, memory]))
    np.testing.assert_array_equal(model([QUERY, MEMORY]), attention(QUERY, MEMORY))
