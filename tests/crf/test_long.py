"""A CRF over 20,000 steps in float32, against the recursions in float64 from the same scores."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import CRF, CRFLoss, crf_loss, marginals, n_best, transition_constraints, viterbi
from tests.crf.numerics import compiled, gradients
from tests.reference import crf as reference

BATCH, TIME, PADDED, N_BEST = 6, 20_000, 22_000, 3
NAMES = ["O", "B-X", "I-X", "B-Y", "I-Y"]
TAGS = len(NAMES)


def sentences(is_constrained):
    """Return scores and a mask: one tag wins by 12.3; gaps and ends; large scores; -inf."""
    random = np.random.default_rng(0)
    scores = np.zeros((BATCH, PADDED, TAGS), "float32")
    scores[0, :, 0] = 12.3
    scores[1:4] = random.normal(size=(3, PADDED, TAGS)) * np.array([[[1]], [[100]], [[10]]])
    scores[2, :, 1] += 1000  # a tag that can follow every other one
    scores[3][random.random((PADDED, TAGS)) < 0.1] = -np.inf
    scores[3, :, 0] = np.maximum(scores[3, :, 0], -20)  # a sequence without X and Y is possible
    scores[4] = 1000 + random.normal(size=(PADDED, TAGS))
    # Constraints would make scores matter that lie thousands below the largest of their step.
    scores[5] = random.normal(size=(PADDED, TAGS)) * (10 if is_constrained else 1000)
    mask = np.arange(PADDED) < np.full((BATCH, 1), TIME)
    mask[1] = random.permutation(mask[1])
    mask[3] = np.roll(mask[3], 9)
    return scores, mask


class Wanted:
    """The same in float64, without the padding."""

    def __init__(self, scores, mask, weights, allowed):
        weights = [w.astype("float64") for w in weights]
        if allowed:
            names = "transitions", "start", "end"
            weights = [
                np.where(allowed[name], w, -1e9) for name, w in zip(names, weights, strict=True)
            ]
        self.p = reference.potentials(scores[mask].reshape(BATCH, TIME, TAGS), *weights)
        best_scores, best = reference.n_best(self.p, N_BEST)
        self.gold = best[np.arange(BATCH), [0, 1, 2, 0, 1, 0]]
        if not allowed:
            self.gold[1] = np.random.default_rng(2).integers(TAGS, size=TIME)
        self.log_z = reference.log_partition(self.p)
        self.loss = -self.log_p(self.gold)
        self.n_best = best_scores - self.log_z[:, None]
        self.edges = reference.edges(self.p)

    def log_p(self, tags):
        return reference.path_score(tags, self.p) - self.log_z


@pytest.fixture(
    scope="module", params=["constrained", pytest.param("free", marks=pytest.mark.slow)]
)
def case(request):
    """Return what a compiled CRF computes in float32, the mask, and what is wanted."""
    random = np.random.default_rng(1)
    scores, mask = sentences(request.param == "constrained")
    weights = [random.normal(size=(TAGS,) * rank).astype("float32") for rank in (2, 1, 1)]
    allowed = transition_constraints(NAMES) if request.param == "constrained" else None
    wanted = Wanted(scores, mask, weights, allowed)
    gold = np.full(mask.shape, -1)
    gold[mask] = wanted.gold.ravel()

    crf = CRF(TAGS, allowed)
    crf.build((None, None, TAGS))

    def loss(scores, *weights, function=crf_loss):
        variables = [crf.transitions, crf.start, crf.end]
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return function(gold, crf(scores, mask=mask))

    def weighted(tags, potentials):
        return CRFLoss(reduction="none")(tags, potentials, sample_weight=np.ones(tags.shape))

    @compiled
    def compute(*inputs):
        variables = [crf.transitions, crf.start, crf.end]
        with keras.StatelessScope(state_mapping=list(zip(variables, inputs[1:], strict=True))):
            potentials = crf(inputs[0], mask=mask)
        return {
            "loss": loss(*inputs),
            "weighted": loss(*inputs, function=weighted),
            "gradients": gradients(loss, *inputs),
            "weighted_gradients": gradients(partial(loss, function=weighted), *inputs),
            "marginals": marginals(potentials),
            "viterbi": viterbi(potentials),
            "n_best": n_best(potentials, N_BEST),
        }

    found = compute(*map(ops.convert_to_tensor, (scores, *weights)))
    return keras.tree.map_structure(ops.convert_to_numpy, found), mask, wanted


def assert_close(found, wanted):
    """Compare relative to max(1, |wanted|)."""
    error = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
    assert error.max() <= 1e-5


def test_the_loss_is_precise(case):
    found, _, wanted = case
    assert_close(found["loss"], wanted.loss)
    assert_close(found["weighted"], wanted.loss)


def test_marginals_are_precise_and_never_above_1(case):
    found, mask, wanted = case
    assert found["marginals"].min() >= 0 and found["marginals"].max() <= 1
    assert_close(found["marginals"][mask], wanted.edges.sum(axis=2).reshape(-1, TAGS))


def test_the_best_tags_have_the_best_score(case):
    found, mask, wanted = case
    tags, log_p = found["viterbi"]
    assert_close(wanted.log_p(tags[mask].reshape(BATCH, TIME)), wanted.n_best[:, 0])
    assert_close(log_p, wanted.n_best[:, 0])


def test_the_n_best_have_precise_log_probabilities_in_order(case):
    found, mask, wanted = case
    tags, log_p = found["n_best"]
    assert (np.diff(log_p) <= 0).all()
    assert_close(log_p, wanted.n_best)
    for k in range(N_BEST):
        assert_close(wanted.log_p(tags[:, k][mask].reshape(BATCH, TIME)), wanted.n_best[:, k])


@pytest.mark.parametrize("name", ["gradients", "weighted_gradients"])
def test_gradients_are_expected_minus_real_counts(case, name):
    found, mask, wanted = case
    of_scores, of_transitions, _, of_end = found[name]
    edges = wanted.edges.copy()
    before = np.pad(wanted.gold[:, :-1], ((0, 0), (1, 0)))
    edges[np.arange(BATCH)[:, None], np.arange(TIME), before, wanted.gold] -= 1
    assert_close(of_scores[mask], edges.sum(axis=2).reshape(-1, TAGS))
    assert not of_scores[~mask].any()
    assert_close(of_transitions, edges[:, 1:].sum(axis=(0, 1)))
    assert_close(of_end, edges[:, -1].sum(axis=(0, 1)))
