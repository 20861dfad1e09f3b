"""The layer BeamSearch: the same as the function, in models that are saved and loaded."""

import keras
import numpy as np
import pytest
from keras import layers

from seqkit import GRUCell
from seqkit.decoding import BeamSearch, EndSymbol, beam_search, wu_penalty

OPTIONS = {"bos_id": 0, "eos_id": 1, "max_length": 6, "num_beams": 3}
STATE = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
SHIFT = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")


def step_model():
    """Return a model of one step whose inputs are shifted by a constant (rows, 3)."""
    token, state, shift = keras.Input((), dtype="int32"), keras.Input((5,)), keras.Input((3,))
    x = layers.Add()([layers.Embedding(7, 3, "normal")(token), shift])
    h, (after,) = GRUCell(5)(x, [state])
    log_p = layers.Activation("log_softmax")(layers.Dense(7, kernel_initializer="normal")(h))
    return keras.Model([token, state, shift], [log_p, after])


@pytest.fixture
def step():
    keras.utils.set_random_seed(2)
    return step_model()


def test_it_finds_what_the_function_finds(step):
    tokens, scores = BeamSearch(step, alpha=0.7, **OPTIONS)([STATE], [SHIFT])

    def as_function(tokens, states, constants):
        log_p, *states = step([tokens, *states, *constants])
        return log_p, states

    found = beam_search(
        as_function,
        [STATE],
        [SHIFT],
        num_beams=3,
        bos_id=0,
        length=EndSymbol(1),
        max_length=6,
        length_penalty=wu_penalty(0.7),
    )
    np.testing.assert_array_equal(tokens, found.tokens[:, 0])
    np.testing.assert_allclose(scores, found.scores[:, 0], rtol=1e-6)


def test_a_model_that_outputs_sequences_is_saved_and_loaded(step, tmp_path):
    inputs = keras.Input((5,)), keras.Input((3,))
    initial = layers.Dense(5, activation="tanh")(inputs[0])
    model = keras.Model(inputs, list(BeamSearch(step, **OPTIONS)([initial], [inputs[1]])))
    assert model.output_shape == [(None, 6), (None,)]
    expected = model.predict([STATE, SHIFT], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(loaded.predict([STATE, SHIFT], verbose=0), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_step_without_its_states_is_an_error():
    token, state = keras.Input((), dtype="int32"), keras.Input((5,))
    logits = layers.Dense(7)(layers.Concatenate()([layers.Embedding(7, 3)(token), state]))
    step = keras.Model([token, state], [layers.Activation("log_softmax")(logits)])
    with pytest.raises(ValueError, match="BeamSearch: step returned 1 tensors; it must return"):
        BeamSearch(step, **OPTIONS)([STATE])
