"""Wrong arguments of decoding functions get one line; sums over 20,000 steps are right."""

import keras
import numpy as np
import pytest
from keras import ops

from seqkit.decoding import EndSymbol, PredictedLength, beam_search, greedy, sample, score
from seqkit.diagnostics import exposure_bias
from seqkit.training import scheduled_sampling
from tests.decoding.toy import compiled

LONG = 20_000
# log p(next token | token): the last token ends the sequence, and is very improbable.
TABLE = np.random.default_rng(0).dirichlet(np.full(6, 5.0), 6).astype("float32")
TABLE = np.log(np.pad(TABLE, ((0, 1), (0, 1)), constant_values=1e-13)).astype("float32")
STATE = np.zeros((2, 1), "float32")
TOKENS = np.array([[1, 2, 3], [4, 5, 6]], "int32")
SEARCHES = {
    "greedy": (greedy, {}),
    "sample": (sample, {"seed": 1}),
    "beam_search": (beam_search, {"num_beams": 2}),
}


def step(tokens, state, constants):
    return ops.take(ops.convert_to_tensor(TABLE), tokens, axis=0), state


def run(name, step=step, state=STATE, **more):
    function, arguments = SEARCHES[name]
    arguments = {"bos_id": 0, "length": EndSymbol(6), "max_length": 3} | arguments | more
    return function(step, state, **arguments)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"length": 6}, r"length is 6; it must be a stopping rule: EndSymbol\(6\)"),
        ({"length": EndSymbol(7)}, "EndSymbol: eos_id is 7; step has 7 tokens"),
        ({"length": PredictedLength(np.ones(3))}, r"lengths is \(3,\); it must be \(batch\)"),
        ({"max_length": 0}, "max_length is 0; it must be a positive int"),
        ({"max_length": 2.5}, "max_length is 2.5; it must be a positive int"),
        ({"bos_id": -1}, "bos_id is -1; it must be a token id"),
        ({"step": TABLE}, "it must be a function"),
        ({"state": [STATE, STATE[:1]]}, "state and constants have 2 and 1 rows"),
        ({"state": np.float32(0)}, "hold a scalar"),
        ({"step": lambda t, s, _: (ops.ones((len(t), 7)), s)}, "exponentials sum to 19.03, not 1"),
        (
            {"step": lambda t, s, _: (step(t, s, _)[0], ops.concatenate([s, s], axis=1))},
            r"step turned a state of float32 \(\d, 1\) into float32 \(\d, 2\); it must keep",
        ),
        ({"step": lambda t, s, _: (ops.ones((7,)), s)}, r"is \(7,\); it must be \(rows, vocab"),
        (
            {"step": lambda t, s, _: (ops.ones((len(t), 7), "int32"), s)},
            "log-probabilities are floats",
        ),
    ],
)
def test_a_wrong_argument_of_a_search_gets_one_line(name, more, line):
    if "sum to" in line and keras.backend.backend() != "tensorflow":
        pytest.skip("loops of JAX never see values")
    with pytest.raises(ValueError, match=line) as caught:
        run(name, **more)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [(1, 1, 1), (1, -9, -9), (-9, -9, 1)])
@pytest.mark.parametrize("name", [*SEARCHES, "score"])
def test_a_positive_log_probability_makes_the_log_likelihood_nan(name, values):
    """State counts the steps; the values of the three steps may sum to less than 0."""

    def logits(tokens, state, constants):
        row = ops.take(ops.convert_to_tensor(np.array(values, "float32")), ops.cast(state, "int32"))
        return ops.broadcast_to(row, (tokens.shape[0], 7)), state + 1

    def decode(state):
        if name == "score":
            return score(logits, TOKENS, state, bos_id=0)
        return run(name, step=logits, state=state, length=PredictedLength(np.array([3, 3])))

    assert np.isnan(compiled(lambda state: decode(state).log_likelihoods)(STATE)).all()


@pytest.mark.parametrize("name", SEARCHES)
def test_a_symbolic_tensor_gets_the_name_of_the_layer(name):
    with pytest.raises(ValueError, match=r"use the layer seqkit\.decoding\.BeamSearch"):
        run(name, state=keras.Input((1,)))


@pytest.mark.parametrize(
    "function",
    [
        score,
        exposure_bias,
        lambda *args, **more: scheduled_sampling(*args, probability=1.0, seed=1, **more),
    ],
)
@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (np.ones((2, 3, 7), "int32"), r"tokens are int32 \(2, 3, 7\); they must be ints"),
        (np.ones((2, 3), "float32"), r"tokens are float32 \(2, 3\)"),
        (np.ones(3, "int32"), r"tokens are int32 \(3,\)"),
    ],
)
def test_wrong_tokens_get_one_line(function, tokens, line):
    with pytest.raises(ValueError, match=line):
        function(step, tokens, STATE, bos_id=0)


@pytest.mark.parametrize("function", [score, exposure_bias])
@pytest.mark.parametrize("shape", [(2, 1), (2, 4), (3, 3), (2,), (2, 3, 1)])
def test_a_mask_of_another_shape_is_an_error(function, shape):
    with pytest.raises(ValueError, match="mask"):
        function(step, TOKENS, STATE, bos_id=0, mask=np.ones(shape, bool))


def test_a_token_outside_of_the_vocabulary_has_no_likelihood():
    tokens = np.where(TOKENS == 6, 7, TOKENS)
    found = score(step, tokens, STATE, bos_id=0)
    assert np.isnan(ops.convert_to_numpy(found.log_probabilities)).tolist()[1] == [0, 0, 1]
    assert np.isfinite(ops.convert_to_numpy(found.log_likelihoods)[0])
    loss = ops.convert_to_numpy(exposure_bias(step, tokens, STATE, bos_id=0).forced_loss)
    assert np.isnan(loss)[1, 2] and np.isfinite(loss[0]).all()


def test_nothing_is_decoded_of_no_rows():
    for name in SEARCHES:
        found = run(name, state=STATE[:0]).tokens
        assert ops.shape(found) == ((0, 1, 3) if name == "beam_search" else (0, 3))
    assert ops.shape(score(step, TOKENS[:0], STATE[:0], bos_id=0).log_probabilities) == (0, 3)


@pytest.mark.parametrize("length", [None, EndSymbol(6)])
def test_an_empty_sequence_is_certain(length):
    found = score(step, TOKENS[:, :0], STATE, bos_id=0, length=length)
    assert ops.convert_to_numpy(found.log_likelihoods).tolist() == [0, 0]


def log_likelihood(tokens):
    before = np.concatenate([np.zeros((len(tokens), 1), int), tokens[:, :-1]], axis=1)
    return TABLE.astype("float64")[before, tokens].sum(axis=1)


@pytest.mark.parametrize("name", [*SEARCHES, "score"])
def test_log_likelihoods_of_20_000_steps_are_right(name):
    tokens = np.random.default_rng(1).integers(0, 6, (2, LONG)).astype("int32")

    def decode(state):
        if name == "score":
            return tokens, score(step, tokens, state, bos_id=0).log_likelihoods
        found = run(name, state=state, max_length=LONG)
        found = found.best() if name == "beam_search" else found
        return found.tokens, found.log_likelihoods

    tokens, found = compiled(decode)(STATE)
    np.testing.assert_allclose(found, log_likelihood(np.asarray(tokens)), rtol=1e-5)


def test_coverage_of_20_000_steps_is_right():
    attended = np.array([[1e-5, 2.1e-5, 3.3e-5]], "float32")

    def certain(tokens, state, constants):
        return ops.where(ops.arange(3) == 1, 0.0, -np.inf) + 0.0 * state, state

    def decode(state):
        return beam_search(
            certain,
            state,
            num_beams=1,
            bos_id=1,
            length=EndSymbol(2),
            max_length=LONG,
            coverage_weight=1.0,
            attention=lambda state: state + attended,
        ).scores

    wanted = np.log(LONG * attended.astype("float64")).sum()
    np.testing.assert_allclose(compiled(decode)(STATE[:1]), [[wanted]], rtol=1e-5)
