import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from seqkit.masking import causal_mask, lengths_from_mask, mask_from_lengths, reverse

masks = st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("lengths", "line"),
    [([1.5], "lengths are float32; they must be ints"), ([2, -1], "lengths contain -1; they must")],
)
def test_lengths_are_counts(lengths, line):
    with pytest.raises(ValueError, match=f"^mask_from_lengths: {line}"):
        mask_from_lengths(lengths, 3)
    assert mask_from_lengths([], 3).shape == (0, 3)


def test_lengths_become_masks_of_real_steps_first():
    mask = ops.convert_to_numpy(mask_from_lengths(np.array([0, 2, 4]), 4))
    np.testing.assert_array_equal(mask, [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]])
    assert mask.dtype == bool


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_lengths_are_recovered_from_masks(lengths):
    found = lengths_from_mask(mask_from_lengths(np.array(lengths), 6))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), lengths)


@pytest.mark.parametrize("length", [0, 1, 4])
def test_causal_masks_include_the_past_and_the_present(length):
    mask = ops.convert_to_numpy(causal_mask(length))
    np.testing.assert_array_equal(mask, np.tri(length, dtype=bool))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@given(masks)
@settings(max_examples=20, deadline=None)
def test_reverse_reverses_the_real_steps_and_keeps_the_padding(shape, mask):
    mask = np.array(mask)
    size = int(np.prod((*mask.shape, *shape)))
    sequences = np.arange(size).reshape(*mask.shape, *shape)
    wanted = sequences.copy()
    for row, steps in enumerate(mask):
        wanted[row, steps] = sequences[row, steps][::-1]
    found = ops.convert_to_numpy(reverse(sequences, mask))
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(ops.convert_to_numpy(reverse(found, mask)), sequences)


def test_without_a_mask_all_steps_are_real():
    sequences = np.arange(12).reshape(2, 3, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(reverse(sequences)), sequences[:, ::-1])


def test_sequences_of_a_functional_model_are_reversed():
    x, mask = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    model = keras.Model([x, mask], reverse(x, mask))
    again = keras.Model.from_config(model.get_config())
    values = np.arange(12, dtype="float32").reshape(2, 3, 2)
    real = np.array([[1, 0, 1], [1, 1, 0]], bool)
    wanted = ops.convert_to_numpy(reverse(values, real))
    np.testing.assert_array_equal(ops.convert_to_numpy(again([values, real])), wanted)
