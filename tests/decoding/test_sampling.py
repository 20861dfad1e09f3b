"""Greedy decoding, and sampling against the exact distribution of sequences."""

from collections import Counter

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy import stats
from scipy.special import log_softmax

from seqkit.decoding import EndSymbol, greedy, sample, score, top_k_filter, top_p_filter
from seqkit.decoding.sampling import draw, uniform
from tests.decoding.toy import BOS, EOS, KINDS, Toy, compiled, to_numpy
from tests.reference.decoding import enumerate_sequences

MAX_LENGTH, DRAWS = 3, 20_000


def run(toy, kind, decode=greedy, state=None, **more):
    return decode(
        toy.step,
        toy.state if state is None else state,
        toy.constants,
        bos_id=BOS,
        length=toy.length(kind),
        max_length=more.pop("max_length", MAX_LENGTH),
        pad_id=-1,
        **more,
    )


def many(toy):
    """Repeat the single row of a toy."""
    for name in ("h", "c", "lengths", "mask"):
        setattr(toy, name, np.repeat(getattr(toy, name), DRAWS, axis=0))
    toy.rows = DRAWS
    return toy


def nucleus(p, k, top_p, temperature):
    """Compute the distribution that is drawn from, by its definition."""
    p = p ** (1 / temperature) / np.sum(p ** (1 / temperature))
    order = np.argsort(-p)[:k]
    size = 1 + np.searchsorted(np.cumsum(p[order] / p[order].sum()), top_p)
    kept = np.zeros_like(p)
    kept[order[:size]] = p[order[:size]]
    return kept / kept.sum()


@pytest.mark.parametrize(
    ("kind", "temperature", "top_k", "top_p"),
    [
        ("end symbol", 1.0, None, None),
        ("end symbol", 0.6, None, None),
        ("end symbol", 1.0, 2, None),
        ("end symbol", 1.0, None, 0.8),
        *((kind, 1.5, 3, 0.7) for kind in KINDS),
    ],
)
def test_samples_follow_their_distribution(kind, temperature, top_k, top_p):
    toy = Toy(rows=1, vocabulary=4, seed=1, scale=0.7)
    toy.lengths[:] = 2

    def reshape(p):
        return nucleus(p, top_k or len(p), top_p or 1.0, temperature)

    wanted = {
        (c.tokens, c.ended): np.exp(c.log_p)
        for c in enumerate_sequences(
            toy.numpy_step(0), toy.numpy_stop(kind, 0), toy.h[0], BOS, MAX_LENGTH, reshape=reshape
        )
    }
    np.testing.assert_allclose(sum(wanted.values()), 1.0, rtol=1e-6)
    found = to_numpy(
        run(many(toy), kind, sample, seed=3, temperature=temperature, top_k=top_k, top_p=top_p)
    )
    seen = Counter(
        (tuple(tokens[:n].tolist()), bool(ended))
        for tokens, n, ended in zip(found.tokens, found.lengths, found.ended, strict=True)
    )
    assert set(seen) <= set(wanted)
    expected = np.array([DRAWS * p for p in wanted.values()])
    counts = np.array([seen[sequence] for sequence in wanted])
    rare = expected < 5  # chi-square requires filled cells
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    assert stats.chisquare(counts, expected, sum_check=False).pvalue > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_likelihood_of_the_model(kind):
    toy = Toy(rows=20, vocabulary=5, seed=2)
    found = to_numpy(
        run(toy, kind, sample, seed=5, temperature=2.0, top_k=3, attention=toy.attention)
    )
    mask = np.arange(MAX_LENGTH) < found.lengths[:, None]
    again = to_numpy(
        score(
            toy.step,
            found.tokens,
            toy.state,
            toy.constants,
            bos_id=BOS,
            mask=mask,
            length=toy.length(kind),
            attention=toy.attention,
        )
    )
    ended = found.ended  # `score` includes the probability of stopping, which a cut sequence lacks
    np.testing.assert_allclose(
        again.log_likelihoods[ended], found.log_likelihoods[ended], rtol=1e-4
    )
    np.testing.assert_allclose(again.attention, found.attention, rtol=1e-4, atol=1e-6)
    assert ended.any()


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_chooses_the_most_probable_token(kind):
    toy = Toy(rows=20, vocabulary=5, seed=3)
    found = to_numpy(run(toy, kind, max_length=6))
    for row in range(toy.rows):
        step, p_stop = toy.numpy_step(row), toy.numpy_stop(kind, row)
        token, h, tokens, log_p, ended = BOS, toy.h[row], [], 0.0, False
        while len(tokens) < 6 and not ended:
            p, h, _ = step(token, h)
            token = int(p.argmax())
            stop = p_stop(token, h, len(tokens))
            ended = stop >= 0.5
            log_p += np.log(p[token]) + np.log(stop if ended else 1 - stop)
            tokens.append(token)
        assert found.tokens[row].tolist() == [*tokens, *[-1] * (6 - len(tokens))]
        assert found.lengths[row] == len(tokens) and found.ended[row] == ended
        np.testing.assert_allclose(found.log_likelihoods[row], log_p, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_low_temperature_and_a_single_candidate_are_greedy(kind):
    toy = Toy(rows=20, vocabulary=5, seed=4)
    toy.S = 1e4 * toy.S  # makes stopping deterministic
    wanted = to_numpy(run(toy, kind))
    for more in ({"temperature": 1e-4}, {"top_k": 1}, {"top_p": 1e-6}):
        found = to_numpy(run(toy, kind, sample, seed=0, **more))
        np.testing.assert_array_equal(found.tokens, wanted.tokens)
        np.testing.assert_array_equal(found.lengths, wanted.lengths)


def test_seeds():
    pair = np.array([3, 4], "int32")
    first = ops.convert_to_numpy(uniform((50,), pair))
    np.testing.assert_array_equal(first, ops.convert_to_numpy(uniform((50,), pair)))
    assert (first != ops.convert_to_numpy(uniform((50,), pair + 1))).any()
    generator = keras.random.SeedGenerator(1)
    one, two = (ops.convert_to_numpy(uniform((50,), generator)) for _ in range(2))
    assert (one != two).any()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-30, 0), min_size=2, max_size=8),
    st.floats(0, 1, exclude_max=True, width=32),
    st.integers(0, 7),
)
def test_impossible_tokens_are_never_drawn(logits, u, k):
    logits[k % len(logits)] = -np.inf
    token = draw(np.array([logits], "float32"), np.array([u], "float32"))
    assert np.isfinite(logits[int(token[0])])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 8), st.floats(0.01, 0.99))
def test_filters_keep_the_tokens_they_define(seed, k, p):
    logits = np.random.default_rng(seed).normal(size=(2, 6)).astype("float32")
    log_p = log_softmax(logits, axis=1)
    by_k = ops.convert_to_numpy(top_k_filter(log_p, k))
    assert (np.isfinite(by_k).sum(axis=1) == min(k, 6)).all()
    by_p = ops.convert_to_numpy(top_p_filter(log_p, p))
    for found in (by_k, by_p):
        kept = np.isfinite(found)
        np.testing.assert_array_equal(found[kept], log_p[kept])
        for row, is_kept in zip(log_p, kept, strict=True):
            assert min(row[is_kept]) > max(row[~is_kept], default=-np.inf)
    for row in np.exp(by_p.astype("float64")):
        assert row.sum() > p - 1e-5 and row.sum() - min(row[row > 0]) < p + 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_greedy_is_the_same(kind):
    toy = Toy(rows=20, vocabulary=5, seed=7)
    run_all = lambda state: run(toy, kind, state=state, attention=toy.attention)  # noqa: E731
    eager, xla = to_numpy(run_all(toy.state)), to_numpy(compiled(run_all)(toy.state))
    for one, other in zip(eager, xla, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_compiled_sampling_accepts_a_seed_tensor():
    toy = many(Toy(rows=1, vocabulary=4, seed=8, scale=0.7))
    decode = compiled(lambda seed: run(toy, "end symbol", sample, seed=seed, max_length=1).tokens)
    tokens = ops.convert_to_numpy(decode(ops.convert_to_tensor(np.array([1, 2], "int32"))))
    p = toy.numpy_step(0)(BOS, toy.h[0])[0]
    counts = np.bincount(tokens[:, 0], minlength=4)
    assert stats.chisquare(counts, DRAWS * p / p.sum()).pvalue > 0.01


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_bad_arguments_raise_clear_errors(more, line):
    with pytest.raises(ValueError, match=line):
        run(Toy(rows=1), "end symbol", sample, seed=0, **more)


def test_an_unknown_number_of_rows_raises_a_clear_error():
    arguments = {"bos_id": BOS, "length": EndSymbol(EOS), "max_length": 2}
    with pytest.raises(ValueError, match="number of rows is not known"):
        greedy(lambda tokens, state, constants: (None, state), {}, None, **arguments)
