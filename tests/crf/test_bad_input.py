"""Mistakes in the arguments of a CRF, empty batches, and scores that are not finite."""

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import (
    CRF,
    CRFAccuracy,
    CRFLoss,
    crf_loss,
    log_partition,
    log_potentials,
    marginals,
    n_best,
    path_score,
    transition_constraints,
    viterbi,
)
from tests.crf.numerics import compiled, gradients

SCORES = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
TAGS = np.array([[0, 1, 2, 0], [2, 1, 0, 0]])
NAMES = ["O", "B-X", "I-X"]
ALLOWED = transition_constraints(NAMES)


def to_numpy(nest):
    return keras.tree.map_structure(ops.convert_to_numpy, nest)


def potentials():
    return log_potentials(SCORES)


WRONG = {
    "one-hot tags": (lambda: crf_loss(np.eye(3)[TAGS], potentials()), "pass ops.argmax"),
    "a last axis of 1": (lambda: crf_loss(TAGS[..., None], potentials()), "ops.squeeze"),
    "too few tags": (lambda: crf_loss(TAGS[:, :1], potentials()), r"\(2, 1\); .* here \(2, 4\)"),
    "too few rows": (lambda: path_score(TAGS[:1], potentials()), r"\(1, 4\); .* here \(2, 4\)"),
    "bool tags": (lambda: crf_loss(TAGS > 0, potentials()), "tags are bool; they must be ints"),
    "fractions": (lambda: crf_loss(TAGS + 0.5, potentials()), r"contain 0.5; .* ints in \[0, 3\)"),
    "tag 3 of 3": (
        lambda: crf_loss(TAGS + 1, potentials()),
        "crf_loss: tags contain 3; .* 3 tags",
    ),
    "tag -1": (lambda: path_score(TAGS - 1, potentials()), "path_score: tags contain -1"),
    "known tag -1": (
        lambda: CRFLoss()(TAGS - 1, potentials(), sample_weight=np.ones((2, 4))),
        "CRFLoss: tags contain -1",
    ),
    "scores, not potentials": (lambda: viterbi(SCORES), r"\(batch, time, tags, tags\), as CRF"),
    "not square": (lambda: marginals(np.zeros((2, 4, 3, 2))), r"\(2, 4, 3, 2\)"),
    "int potentials": (lambda: log_partition(np.zeros((1, 2, 3, 3), int)), "must be floats"),
    "forbidden tags": (
        lambda: crf_loss([[0, 2, 2, 1]], CRF(3, ALLOWED)(SCORES[:1])),
        "crf_loss: the constraints forbid tag 2 at step 1 of sequence 0, .*IOB1",
    ),
    "a forbidden start": (
        lambda: CRFLoss()([[2, 1, 1, 1]], CRF(3, ALLOWED)(SCORES[:1])),
        "forbid tag 2 at step 0 of sequence 0",
    ),
    "forbidden tags with weights": (
        lambda: CRFLoss()(
            [[1, -1, 0, 2]], CRF(3, ALLOWED)(SCORES[:1]), sample_weight=[[1, 0, 1, 1]]
        ),
        "CRFLoss: the constraints forbid tag 2 at step 3 of sequence 0",
    ),
    "accuracy of tag 9": (
        lambda: CRFAccuracy()([[0, 9, 1, 1]], potentials()[:1]),
        "CRFAccuracy: tags contain 9",
    ),
    "tags of IOBES": (
        lambda: transition_constraints(["O", "B-X", "I-X", "E-X", "S-X"]),
        "tag 'E-X' is not part of the BIO scheme; give scheme=\"IOBES\"",
    ),
    "tags of BILOU": (
        lambda: transition_constraints(["O", "B-X", "I-X", "L-X", "U-X"], "IOBES"),
        "'L-X' is not part of the IOBES scheme; rename M- to I-, L- to E-, U- and W- to S-",
    ),
    "n 0": (lambda: n_best(potentials(), 0), "n is 0; it must be a positive int"),
    "n 1.5": (lambda: n_best(potentials(), 1.5), "n is 1.5; it must be a positive int"),
    "n True": (lambda: n_best(potentials(), True), "n is True; it must be a positive int"),
    "n None": (lambda: n_best(potentials(), None), "n is None; it must be a positive int"),
    "mask (batch, 1)": (
        lambda: CRF(3)(SCORES, mask=np.ones((2, 1), bool)),
        r"CRF: the mask has shape \(2, 1\); it must be \(batch, time\), here \(2, 4\)",
    ),
    "mask too long": (lambda: log_potentials(SCORES, np.ones((2, 5))), r"\(2, 5\); .* \(2, 4\)"),
    "mask of symbols": (
        lambda: CRF(3)(keras.Input((6, 3)), mask=keras.Input((5,), dtype="bool")),
        r"CRF: the mask has shape \(None, 5\); it must be \(batch, time\), here \(None, 6\)",
    ),
    "scores of rank 2": (lambda: CRF(3)(SCORES[0]), r"return_sequences=True"),
    "symbols of rank 2": (lambda: CRF(3)(keras.Input((3,))), r"return_sequences=True"),
    "tags unknown": (lambda: CRF(3)(keras.Input((None, None))), r"Dense\(3\)"),
    "other transitions": (
        lambda: log_potentials(SCORES, transitions=np.zeros((2, 2))),
        r"transitions has shape \(2, 2\); 3 tags need \(3, 3\)",
    ),
    "a list": (lambda: CRF(3, [True]), r"constraints are a list; .* transition_constraints\("),
    "an array": (lambda: CRF(3, np.ones((3, 3))), r"are a ndarray; .* transition_constraints\("),
    "a missing key": (lambda: CRF(3, {"start": ALLOWED["start"]}), r"keys \['start'\]"),
    "an unknown key": (lambda: CRF(3, {**ALLOWED, "x": 1}), "'x'.*transition_constraints"),
    "ints": (lambda: CRF(3, {**ALLOWED, "end": [1, 1, 0]}), r"\['end'\] contains int.*bools"),
    "names as a string": (lambda: transition_constraints("O"), "must be a list of names"),
    "names as ints": (lambda: transition_constraints([0, 1]), "tag 0 is not a name"),
    "weights of other length": (
        lambda: CRFLoss()(TAGS, potentials(), sample_weight=np.ones((2, 3))),
        r"sample_weight has shape \(2, 3\); it must be \(batch, time\), here \(2, 4\)",
    ),
    "weights of other rows": (
        lambda: CRFAccuracy()(TAGS, potentials(), sample_weight=np.ones(3)),
        r"sample_weight has shape \(3,\); there are 2 sequences",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_clear_line(name):
    make, line = WRONG[name]
    with pytest.raises(ValueError, match=line) as error:
        make()
    assert "\n" not in str(error.value)


def test_ints_of_numpy_and_arrays_of_bools_are_saved_as_plain_values():
    arrays = {name: np.array(values) for name, values in ALLOWED.items()}
    config = CRF(np.int64(3), arrays).get_config()
    assert type(config["tags"]) is int
    assert config["constraints"] == ALLOWED
    assert CRF(3).compute_output_shape((None, 7, 3)) == (None, 7, 3, 3)
    assert n_best(potentials(), np.int32(2))[1].shape == (2, 2)


def test_floats_that_are_whole_numbers_are_tags():
    """Keras passes the tags to a loss as floats."""
    for dtype in ("float32", "uint8", "int64"):
        np.testing.assert_array_equal(
            *to_numpy((crf_loss(TAGS.astype(dtype), potentials()), crf_loss(TAGS, potentials())))
        )


def test_in_a_compiled_function_a_wrong_tag_makes_the_loss_of_its_sequence_nan():
    mask = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], bool)
    loss = compiled(lambda tags: crf_loss(tags, log_potentials(SCORES, mask)))
    tags = np.array([[0, 1, 2, -7], [0, 1, 2, 2]], "int32")  # -7 is padding
    right = to_numpy(loss(ops.convert_to_tensor(tags)))
    assert np.isfinite(right).all()
    for wrong in (-1, 3, 2**30):
        tags[1, 2] = wrong
        found = to_numpy(loss(ops.convert_to_tensor(tags)))
        assert np.isnan(found).tolist() == [False, True]
        assert found[0] == right[0]


@pytest.mark.parametrize("constraints", [None, ALLOWED])
def test_a_score_of_minus_infinity_counts_as_impossible(constraints):
    crf = CRF(3, constraints)
    crf.build((None, None, 3))
    found = []
    for value in (-np.inf, -1e9):
        scores = SCORES.copy()
        scores[0, 1, 0] = scores[1, 3, 2] = value
        p = crf(scores)
        grads = gradients(lambda x: crf_loss([[0, 1, 2, 0], [1, 1, 0, 0]], crf(x)), scores)
        found.append(to_numpy([*grads, marginals(p), *viterbi(p), *n_best(p, 3)]))
    for one, other in zip(*found, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("value", [np.inf, np.nan], ids=str)
def test_scores_that_are_not_numbers_make_their_sequence_nan_and_no_other(value):
    scores = SCORES.copy()
    scores[0, 1, 1] = value
    p = CRF(3)(scores)
    for numbers in to_numpy(
        [crf_loss(TAGS, p), log_partition(p), marginals(p), viterbi(p)[1], n_best(p, 2)[1]]
    ):
        assert np.isnan(numbers[0]).all() and np.isfinite(numbers[1]).all()
    assert np.isin(to_numpy(viterbi(p)[0]), [0, 1, 2]).all()


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0)])
def test_empty_batches_and_sequences_cost_nothing(shape):
    p, tags = CRF(3)(np.zeros((*shape, 3))), np.zeros(shape, int)
    batch = np.zeros(shape[0])
    for numbers in crf_loss(tags, p), log_partition(p), path_score(tags, p), viterbi(p)[1]:
        np.testing.assert_array_equal(to_numpy(numbers), batch)
    assert viterbi(p)[0].shape == shape
    assert n_best(p, 2)[0].shape == (shape[0], 2, shape[1])
    assert marginals(p).shape == (*shape, 3)
    (of_scores,) = gradients(lambda x: crf_loss(tags, CRF(3)(x)), np.zeros((*shape, 3), "float32"))
    assert of_scores.shape == (*shape, 3)


def test_a_chain_that_never_changes_its_tag_is_not_taken_for_padding():
    eye = {"transitions": np.eye(2, dtype=bool), "start": [True] * 2, "end": [True] * 2}
    p = CRF(2, eye)(np.zeros((1, 3, 2)))
    loss = to_numpy(compiled(crf_loss)(np.array([[0, 0, 1]]), p))  # not compiled, it is an error
    assert loss > 1e8
    metric = CRFAccuracy()
    metric.update_state(to_numpy(viterbi(p)[0]), p)
    assert metric.result() == 1
