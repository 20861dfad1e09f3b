"""`score` against the probabilities of all sequences, and with padding."""

import numpy as np
import pytest
from keras import ops

from seqkit.decoding import score
from tests.decoding.toy import BOS, KINDS, Toy, compiled, to_numpy
from tests.reference.decoding import enumerate_sequences

TIME = 4


def scored(toy, tokens, kind=None, state=None, **more):
    length = None if kind is None else toy.length(kind)
    state = toy.state if state is None else state
    return score(toy.step, tokens, state, toy.constants, bos_id=BOS, length=length, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_all_ended_sequences_have_the_probability_of_the_model(kind):
    one = Toy(rows=1, seed=1)
    one.lengths[:] = 3
    sequences = [
        c
        for c in enumerate_sequences(
            one.numpy_step(0), one.numpy_stop(kind, 0), one.h[0], BOS, TIME
        )
        if c.ended
    ]
    tokens = np.full((len(sequences), TIME), 99)  # padding may hold anything
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence.tokens)] = sequence.tokens
    for name in ("h", "c", "lengths", "mask"):
        setattr(one, name, np.repeat(getattr(one, name), len(sequences), axis=0))
    one.rows = len(sequences)
    found = to_numpy(scored(one, tokens, kind, mask=tokens < 99, attention=one.attention))
    wanted = [sequence.log_p for sequence in sequences]
    np.testing.assert_allclose(found.log_likelihoods, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.log_probabilities.sum(axis=1), wanted, rtol=1e-4, atol=1e-5)
    for row, sequence in enumerate(sequences):
        size = len(sequence.tokens)
        np.testing.assert_allclose(found.attention[row, :size], sequence.attention, atol=1e-5)
        assert not found.attention[row, size:].any()


def test_sequences_with_an_impossible_length_get_minus_infinity():
    toy = Toy(rows=2, seed=2)
    tokens = np.array([[2, 0], [1, 2]])  # no end symbol; one in the middle
    found = to_numpy(scored(toy, tokens, "end symbol"))
    assert (found.log_likelihoods == -np.inf).all()
    assert np.isfinite(to_numpy(scored(toy, tokens)).log_likelihoods).all()


@pytest.mark.parametrize("kind", [None, "bernoulli", "predicted"])
def test_padding_may_be_anywhere(kind):
    toy = Toy(rows=3, seed=3)
    toy.lengths[:] = 2
    wanted = to_numpy(scored(toy, np.full((3, 2), [2, 1]), kind))
    tokens = np.array([[2, 1, 9, 9], [9, 9, 2, 1], [2, 9, 9, 1]])
    found = to_numpy(scored(toy, tokens, kind, mask=tokens < 9))
    np.testing.assert_allclose(found.log_likelihoods, wanted.log_likelihoods, rtol=1e-5)
    np.testing.assert_allclose(found.log_probabilities[1, 2:], wanted.log_probabilities[1])
    assert not found.log_probabilities[tokens == 9].any()
    nothing = to_numpy(scored(toy, tokens, mask=np.zeros_like(tokens, bool)))
    assert not nothing.log_likelihoods.any()


def test_compiled_scores_are_the_same():
    toy = Toy(rows=3, seed=4)
    tokens = np.array([[2, 0, 1]] * 3)
    eager = to_numpy(scored(toy, tokens, "bernoulli"))
    xla = compiled(lambda state: scored(toy, tokens, "bernoulli", state=state))(toy.state)
    np.testing.assert_allclose(
        eager.log_likelihoods, ops.convert_to_numpy(xla.log_likelihoods), rtol=1e-5
    )
