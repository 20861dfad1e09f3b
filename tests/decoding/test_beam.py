"""Beam search against exhaustive enumeration, in batches, with early stopping, compiled."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from seqkit.decoding import BernoulliStop, EndSymbol, beam_search, greedy, per_token, wu_penalty
from seqkit.decoding.penalties import ban_repeats
from tests.decoding.toy import BOS, EOS, KINDS, Toy, compiled, to_numpy
from tests.reference import decoding as reference
from tests.reference.decoding import enumerate_sequences, ranked, repeats

MAX_LENGTH, ENOUGH = 4, 170  # at least as many beams as a step has continuations
LENGTH_PENALTIES = {"none": None, "wu": wu_penalty(0.8), "per token": per_token}
EVERY_PENALTY = [(kind, penalty) for kind in KINDS for penalty in LENGTH_PENALTIES]


def alternating(first, second):
    """Return (kind, penalty, number of results) with every kind, penalty and pair of them."""
    return [(*pair, (first, second)[i % 2]) for i, pair in enumerate(EVERY_PENALTY)]


def search(toy, kind="end symbol", max_length=MAX_LENGTH, state=None, **more):
    more.setdefault("attention", toy.attention)
    return beam_search(
        toy.step,
        toy.state if state is None else state,
        toy.constants,
        bos_id=BOS,
        length=toy.length(kind),
        max_length=max_length,
        pad_id=-1,
        **more,
    )


def assert_found(found, row, wanted):
    """Check that the results of a row are these (hypothesis, score), and the rest is missing."""
    n = found.scores.shape[1]
    for k, (expected, value) in enumerate(wanted[:n]):
        size = len(expected.tokens)
        assert found.tokens[row, k].tolist() == [*expected.tokens, *[-1] * (MAX_LENGTH - size)]
        assert found.lengths[row, k] == size
        assert found.ended[row, k] == expected.ended
        np.testing.assert_allclose(found.scores[row, k], value, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            found.log_likelihoods[row, k], expected.log_p, rtol=1e-4, atol=1e-5
        )
        if found.attention is not None:
            np.testing.assert_allclose(
                found.attention[row, k, :size], expected.attention, rtol=1e-4, atol=1e-5
            )
            assert not found.attention[row, k, size:].any()
    rest = slice(len(wanted), None)
    assert (found.scores[row, rest] == -np.inf).all()
    assert not found.lengths[row, rest].any() and not found.ended[row, rest].any()
    assert (found.tokens[row, rest] == -1).all()


def all_sequences(toy, kind, row, max_length=MAX_LENGTH, **more):
    return enumerate_sequences(
        toy.numpy_step(row), toy.numpy_stop(kind, row), toy.h[row], BOS, max_length, **more
    )


@pytest.mark.parametrize(("kind", "penalty", "num_results"), alternating(1, 30))
def test_enough_beams_find_the_best_of_all_sequences(kind, penalty, num_results):
    toy = Toy(rows=3, seed=1)
    lp = LENGTH_PENALTIES[penalty]
    found = to_numpy(
        search(toy, kind, num_beams=ENOUGH, num_results=num_results, length_penalty=lp)
    )
    for row in range(toy.rows):
        wanted = ranked(all_sequences(toy, kind, row), length_penalty=lp or (lambda n: 1.0))
        assert_found(found, row, wanted)


@pytest.mark.parametrize(("kind", "penalty", "num_results"), alternating(3, 1))
def test_few_beams_match_the_plain_algorithm(kind, penalty, num_results):
    """The plain algorithm never stops early."""
    toy = Toy(rows=40, vocabulary=6, seed=8, scale=0.8)
    lp = LENGTH_PENALTIES[penalty]
    found = to_numpy(search(toy, kind, num_beams=3, num_results=num_results, length_penalty=lp))
    for row in range(toy.rows):
        wanted = reference.beam_search(
            toy.numpy_step(row),
            toy.numpy_stop(kind, row),
            toy.h[row],
            BOS,
            MAX_LENGTH,
            num_beams=3,
            length_penalty=lp or (lambda n: 1.0),
        )
        assert_found(found, row, wanted)


@pytest.mark.parametrize("coverage_weight", [0.0, 0.7])
@pytest.mark.parametrize("num_results", [1, 30])
@pytest.mark.parametrize("penalty", LENGTH_PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_sequence_has_its_own_limit(kind, penalty, num_results, coverage_weight):
    """The best of all continuations up to the limit, although the search stops early."""
    toy = Toy(rows=5, seed=9)
    lp = LENGTH_PENALTIES[penalty]
    more = {"coverage_weight": coverage_weight, "source_mask": toy.mask}
    found = to_numpy(
        search(
            toy,
            kind,
            num_beams=ENOUGH,
            num_results=num_results,
            length_penalty=lp,
            length_limits=np.array([2, 4, 1, 0, 9], "int32"),
            **more,
        )
    )
    for row, limit in enumerate((2, 4, 1, 1, 4)):
        wanted = ranked(
            all_sequences(toy, kind, row, limit),
            length_penalty=lp or (lambda n: 1.0),
            coverage_weight=coverage_weight,
            source_mask=toy.mask[row],
        )
        assert_found(found, row, wanted)


@pytest.mark.parametrize("penalty", LENGTH_PENALTIES)
def test_limits_match_the_plain_algorithm(penalty):
    toy = Toy(rows=30, vocabulary=6, seed=10, scale=0.8)
    lp = LENGTH_PENALTIES[penalty]
    limits = np.arange(30, dtype="int32") % MAX_LENGTH + 1
    found = to_numpy(
        search(toy, num_beams=3, num_results=3, length_penalty=lp, length_limits=limits)
    )
    for row, limit in enumerate(limits):
        wanted = reference.beam_search(
            toy.numpy_step(row),
            toy.numpy_stop("end symbol", row),
            toy.h[row],
            BOS,
            limit,
            num_beams=3,
            length_penalty=lp or (lambda n: 1.0),
        )
        assert_found(found, row, wanted)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="a traced loop runs the step once")
@pytest.mark.parametrize("penalty", LENGTH_PENALTIES)
def test_a_lower_limit_stops_the_search_sooner(penalty):
    log_p, steps = np.log(np.array([[0.7, 0.3]], "float32")), []

    def step(tokens, state, constants):
        steps.append(tokens)
        return ops.tile(log_p, (ops.shape(tokens)[0], 1)), state

    def count(limit):
        steps.clear()
        beam_search(
            step,
            np.zeros((1, 1), "float32"),
            bos_id=0,
            length=EndSymbol(EOS),
            max_length=50,
            num_beams=2,
            length_penalty=LENGTH_PENALTIES[penalty],
            length_limits=np.array([limit], "int32"),
        )
        return len(steps)

    assert count(1) == 1 and count(8) <= 8 < 50
    assert count(8) < count(50) or penalty == "none"


@pytest.mark.parametrize("kind", KINDS)
def test_coverage_counts_real_source_positions_only(kind):
    toy = Toy(rows=3, seed=2)
    found = search(
        toy,
        kind,
        num_beams=ENOUGH,
        num_results=30,
        length_penalty=wu_penalty(0.5),
        coverage_weight=0.7,
        source_mask=toy.mask,
    )
    for row in range(toy.rows):
        wanted = ranked(
            all_sequences(toy, kind, row),
            length_penalty=wu_penalty(0.5),
            coverage_weight=0.7,
            source_mask=toy.mask[row],
        )
        assert_found(to_numpy(found), row, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_hypotheses_start_with_the_prefix(kind):
    toy = Toy(rows=3, seed=3)
    prefix = np.array([[2, 0], [2, -1], [-1, -1]], "int32")
    toy.lengths[:] = [3, 2, 1]
    found = to_numpy(search(toy, kind, num_beams=ENOUGH, num_results=30, prefix=prefix))
    for row, start in enumerate(((2, 0), (2,), ())):
        assert_found(found, row, ranked(all_sequences(toy, kind, row, prefix=start)))


@pytest.mark.parametrize(
    ("kind", "n"), [*((KINDS[0], n) for n in (1, 2, 3)), (KINDS[1], 2), (KINDS[2], 3)]
)
def test_no_ngram_occurs_twice(kind, n):
    toy = Toy(rows=3, seed=4)
    toy.lengths[:] = 4
    found = to_numpy(search(toy, kind, num_beams=ENOUGH, num_results=30, no_repeat_ngram=n))
    for row in range(toy.rows):
        sequences = [c for c in all_sequences(toy, kind, row) if not repeats(c.tokens, n)]
        assert_found(found, row, ranked(sequences))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=7, max_size=7), st.integers(0, 7), st.integers(1, 4))
def test_tokens_that_would_repeat_an_ngram_are_banned(history, t, n):
    allowed = ban_repeats(np.zeros((1, 3), "float32"), np.array([history], "int32"), t, n)
    chosen = tuple(history[:t])
    ngrams = {chosen[i : i + n] for i in range(t - n + 1)}
    end = chosen[t - n + 1 :] if n > 1 else ()
    wanted = [-np.inf if (*end, y) in ngrams else 0.0 for y in range(3)]
    assert ops.convert_to_numpy(allowed)[0].tolist() == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_one_beam_is_greedy(kind):
    toy = Toy(rows=40, vocabulary=6, seed=5)
    arguments = {"bos_id": BOS, "length": toy.length(kind), "max_length": 7, "pad_id": -1}
    sequence = to_numpy(
        greedy(toy.step, toy.state, toy.constants, attention=toy.attention, **arguments)
    )
    beam = to_numpy(search(toy, kind, max_length=7, num_beams=1))
    if kind == "end symbol":
        assert 0 < sequence.ended.sum() < toy.rows  # some are cut
    for one, other in zip(sequence, beam, strict=True):
        np.testing.assert_allclose(other[:, 0], one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_a_batch_are_independent(kind):
    toy = Toy(rows=3, vocabulary=6, seed=6)
    more = {"num_beams": 4, "num_results": 3, "length_penalty": wu_penalty(0.6), "max_length": 9}
    together = to_numpy(search(toy, kind, **more))
    for row in range(toy.rows):
        alone = to_numpy(search(toy.one(row), kind, **more))
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], other[row], rtol=1e-4, atol=1e-5)


# JAX compiles each search anew.
@settings(max_examples=6 if keras.backend.backend() == "tensorflow" else 2, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from(sorted(LENGTH_PENALTIES)), st.sampled_from([0.0, 0.4])
)
def test_stopping_early_does_not_change_the_best(seed, penalty, coverage_weight):
    """With num_results = num_beams the search runs much longer, but the best is the same."""
    toy = Toy(rows=3, vocabulary=6, seed=seed)
    more = {
        "num_beams": 4,
        "max_length": 9,
        "length_penalty": LENGTH_PENALTIES[penalty],
        "coverage_weight": coverage_weight,
        "source_mask": toy.mask,
    }
    one = to_numpy(search(toy, num_results=1, **more))
    four = to_numpy(search(toy, num_results=4, **more))
    for best, several in zip(one, four, strict=True):
        np.testing.assert_array_equal(best[:, 0], several[:, 0])


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="a traced loop runs the step once")
def test_it_stops_early():
    """With p(end) = 0.9 at each step, nothing longer than one token can win."""
    log_p = np.log(np.array([[0.04, 0.9, 0.06]], "float32"))
    steps = []

    def step(tokens, state, constants):
        steps.append(tokens)
        return ops.tile(log_p, (ops.shape(tokens)[0], 1)), state

    arguments = {"bos_id": 0, "length": EndSymbol(EOS), "max_length": 50, "num_beams": 2}
    beam_search(step, np.zeros((1, 1), "float32"), **arguments)
    assert len(steps) == 1
    beam_search(step, np.zeros((1, 1), "float32"), length_penalty=per_token, **arguments)
    assert 1 < len(steps) < 50  # a longer one may have a better mean log p, up to a point


def test_an_impossible_model_has_no_results():
    """If every continuation has log p = -inf, there is no result and no NaN."""
    step = lambda tokens, state, constants: (  # noqa: E731
        ops.full((ops.shape(tokens)[0], 3), -np.inf),
        state,
    )
    found = to_numpy(
        beam_search(
            step,
            np.zeros((2, 1), "float32"),
            num_beams=2,
            bos_id=0,
            length=BernoulliStop(lambda state: state),
            max_length=3,
            length_penalty=per_token,
        )
    )
    assert (found.scores == -np.inf).all() and not found.lengths.any() and not found.tokens.any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_results_are_the_same(kind):
    toy = Toy(rows=3, vocabulary=6, seed=7)
    more = {
        "num_beams": 4,
        "num_results": 3,
        "max_length": 9,
        "length_penalty": wu_penalty(0.6),
        "coverage_weight": 0.2,
        "source_mask": toy.mask,
        "no_repeat_ngram": 2,
        "prefix": np.array([[2, 3], [4, -1], [-1, -1]], "int32"),
    }
    eager = to_numpy(search(toy, kind, **more))
    xla = to_numpy(compiled(lambda state: search(toy, kind, state=state, **more))(toy.state))
    for one, other in zip(eager, xla, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"num_beams": 2, "num_results": 3}, "num_results is 3 of 2 beams"),
        ({"num_beams": 2, "coverage_weight": -1.0}, "may be negative"),
        ({"num_beams": 2, "length_limits": np.ones((1, 2), "int32")}, "the shape of length_limits"),
        ({"num_beams": 2, "coverage_weight": 1.0, "attention": None}, "needs attention="),
    ],
)
def test_bad_arguments_raise_clear_errors(more, line):
    with pytest.raises(ValueError, match=line):
        search(Toy(rows=1), **more)


def test_a_step_that_changes_the_structure_of_its_state_raises_a_clear_error():
    toy = Toy(rows=1)
    arguments = {"num_beams": 2, "bos_id": 0, "length": EndSymbol(EOS), "max_length": 3}

    def as_list(tokens, state, constants):
        return toy.step(tokens, state, constants)[0], [state]

    def as_half(tokens, state, constants):
        log_p, state = toy.step(tokens, state, constants)
        return log_p, {**state, "h": ops.cast(state["h"], "float16")}

    with pytest.raises(ValueError, match="another structure"):
        beam_search(as_list, toy.state, toy.constants, **arguments)
    with pytest.raises(ValueError, match="keep dtype"):
        beam_search(as_half, toy.state, toy.constants, **arguments)
