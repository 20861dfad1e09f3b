"""The CRF against an enumeration of all tag sequences, and its guarantees for padding."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import (
    CRF,
    RNN,
    Bidirectional,
    LSTMCell,
    crf_loss,
    log_partition,
    marginals,
    n_best,
    path_score,
    transition_constraints,
    viterbi,
)

TAGS, TIME = 3, 4
MASKS = {
    "none": [1, 1, 1, 1],
    "right": [1, 1, 0, 0],
    "left": [0, 0, 1, 1],
    "gap": [1, 0, 1, 1],
    "one step": [0, 1, 0, 0],
}


def to_numpy(*values):
    return [ops.convert_to_numpy(v) for v in values]


def a_crf(rng, constraints=None):
    crf = CRF(TAGS, constraints)
    crf.build((None, None, TAGS))
    crf.set_weights([rng.normal(size=w.shape) for w in crf.weights])
    return crf


def enumerate_scores(crf, scores):
    """Return {tags: score} of an unpadded sentence, by the formula in the module's docstring."""
    start, end = to_numpy(crf.start, crf.end)
    transitions = to_numpy(crf.transitions)[0]
    allowed = crf.constraints
    result = {}
    for y in itertools.product(range(TAGS), repeat=len(scores)):
        pairs = list(itertools.pairwise(y))
        if allowed and not (
            allowed["start"][y[0]]
            and allowed["end"][y[-1]]
            and all(allowed["transitions"][i][j] for i, j in pairs)
        ):
            continue
        result[y] = start[y[0]] + end[y[-1]] + sum(transitions[i, j] for i, j in pairs)
        result[y] += sum(u[j] for u, j in zip(scores, y, strict=True))
    return result


@pytest.fixture(params=MASKS, ids=str)
def case(request):
    """Return a batch of one padded sentence, with all its tag sequences enumerated."""
    rng = np.random.default_rng(7)
    mask = np.array([MASKS[request.param]], bool)
    scores = rng.normal(size=(1, TIME, TAGS)).astype("float32")
    crf = a_crf(rng)
    by_tags = enumerate_scores(crf, scores[mask])
    scores[~mask] = np.nan  # the content of the padding is never read
    return crf(scores, mask=mask), mask[0], by_tags


def test_partition_is_the_sum_over_all_sequences(case):
    potentials, _, by_tags = case
    want = np.log(np.sum(np.exp(list(by_tags.values()))))
    np.testing.assert_allclose(to_numpy(log_partition(potentials))[0], [want], rtol=1e-5)


def test_score_and_loss_of_every_sequence(case):
    potentials, mask, by_tags = case
    log_z = np.log(np.sum(np.exp(list(by_tags.values()))))
    for tags, want in by_tags.items():
        padded = np.full((1, TIME), 2)
        padded[0, mask] = tags
        got, loss = to_numpy(path_score(padded, potentials), crf_loss(padded, potentials))
        np.testing.assert_allclose(got, [want], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(loss, [log_z - want], rtol=1e-4, atol=1e-5)


def test_marginals_are_sums_of_probabilities(case):
    potentials, mask, by_tags = case
    p = np.exp(list(by_tags.values()))
    p /= p.sum()
    want = np.zeros((mask.sum(), TAGS))
    for y, q in zip(by_tags, p, strict=True):
        want[np.arange(len(y)), y] += q
    np.testing.assert_allclose(to_numpy(marginals(potentials))[0][0, mask], want, atol=1e-5)


def test_n_best_are_the_best_in_order(case):
    potentials, mask, by_tags = case
    n = 5
    tags, log_p = to_numpy(*n_best(potentials, n))
    log_z = np.log(np.sum(np.exp(list(by_tags.values()))))
    want = sorted(by_tags.items(), key=lambda item: -item[1])[:n]
    assert [tuple(y) for y in tags[0][:, mask]][: len(want)] == [y for y, _ in want]
    np.testing.assert_allclose(log_p[0, : len(want)], [s - log_z for _, s in want], atol=1e-4)
    assert (log_p[0, len(want) :] < -1e8).all()  # a single step has only three sequences
    best, best_log_p = to_numpy(*viterbi(potentials))
    np.testing.assert_array_equal(best[0], tags[0, 0])
    np.testing.assert_allclose(best_log_p, log_p[:, 0], rtol=1e-6)


def test_constraints_exclude_sequences_and_keep_the_other_scores():
    rng = np.random.default_rng(3)
    crf = a_crf(rng, transition_constraints(["O", "B-X", "I-X"]))
    scores = rng.normal(size=(1, TIME, TAGS)).astype("float32")
    scores[..., 2] += 5  # an I would win everywhere
    by_tags = enumerate_scores(crf, scores[0])
    potentials = crf(scores)
    want = np.log(np.sum(np.exp(list(by_tags.values()))))
    np.testing.assert_allclose(to_numpy(log_partition(potentials))[0], [want], rtol=1e-5)
    tags = to_numpy(*viterbi(potentials))[0]
    assert tuple(tags[0]) == max(by_tags, key=by_tags.get)
    assert tags[0, 0] != 2


@pytest.mark.parametrize(
    ("scheme", "before", "after", "allowed"),
    [
        ("BIO", "O", "I-X", False),
        ("BIO", "B-X", "I-X", True),
        ("BIO", "B-X", "I-Y", False),
        ("BIO", "I-X", "B-X", True),
        ("IOBES", "B-X", "O", False),
        ("IOBES", "B-X", "E-X", True),
        ("IOBES", "E-X", "I-X", False),
        ("IOBES", "S-X", "B-Y", True),
        ("IOBES", "I-X", "S-X", False),
    ],
)
def test_allowed_transitions(scheme, before, after, allowed):
    transitions = transition_constraints([before, after], scheme)["transitions"]
    assert transitions[0][1] is allowed


def test_iobes_starts_and_ends_with_complete_spans():
    tags = ["O", "B-X", "I-X", "E-X", "S-X"]
    constraints = transition_constraints(tags, "IOBES")
    assert constraints["start"] == [True, True, False, False, True]
    assert constraints["end"] == [True, False, False, True, True]


def test_a_whole_row_of_padding_costs_nothing():
    crf = a_crf(np.random.default_rng(0))
    potentials = crf(np.ones((1, TIME, TAGS)), mask=np.zeros((1, TIME), bool))
    tags = np.ones((1, TIME), int)
    loss, best = to_numpy(crf_loss(tags, potentials), viterbi(potentials)[1])
    assert loss.tolist() == [0.0]
    assert best.tolist() == [0.0]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: CRF(0), "tags is 0"),
        (lambda: CRF(3, transition_constraints(["O", "B-X"])), "3 tags need"),
        (lambda: CRF(3)(np.zeros((1, 2, 4))), r"scores have shape \(1, 2, 4\); there are 3 tags"),
        (lambda: transition_constraints(["O"], "IOB1"), "'IOB1'; it must be"),
        (lambda: transition_constraints(["NP"]), "'NP' is not part of the BIO scheme"),
    ],
)
def test_bad_input_gets_a_clear_error(make, line):
    with pytest.raises(ValueError, match=line):
        make()


def test_learns_what_a_softmax_over_each_step_cannot():
    """Tags alternate; only the transitions can carry the first one forward."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, size=64)
    tags = (first[:, None] + np.arange(8)) % 2
    x = np.zeros((64, 8, 2), "float32")
    x[np.arange(64), 0, first] = 1  # the only informative step
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, CRF(2)(keras.layers.Dense(2)(inputs)))
    model.compile(keras.optimizers.Adam(0.1), crf_loss)
    model.fit(x, tags, epochs=60, batch_size=64, verbose=0)
    got = to_numpy(*viterbi(model(x)))[0]
    assert (got == tags).all()


@pytest.mark.slow
def test_trains_on_a_masked_bilstm_under_jit_and_reloads(tmp_path):
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(10, 8, mask_zero=True)(inputs)
    x = Bidirectional(RNN(LSTMCell(8), return_sequences=True))(x)
    model = keras.Model(inputs, CRF(4)(keras.layers.Dense(4)(x)))
    model.compile(keras.optimizers.Adam(0.03), crf_loss, jit_compile=True)
    ids = rng.integers(1, 10, size=(32, 6))
    ids[::3, 4:] = 0
    tags = ids % 4
    model.fit(ids, tags, epochs=40, batch_size=16, verbose=0)
    assert model.jit_compile is True
    best = to_numpy(*viterbi(model(ids)))[0]
    assert (best == tags)[ids > 0].mean() > 0.98
    model.save(tmp_path / "crf.keras")
    again = keras.saving.load_model(tmp_path / "crf.keras")
    np.testing.assert_allclose(*to_numpy(model(ids), again(ids)), rtol=1e-6)
