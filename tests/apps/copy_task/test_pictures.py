import numpy as np
import pytest

from apps.copy_task.pictures import copying, length_curve

TARGET = np.array([[1, 0, 0], [0, 1, 1]], "float32")


def heads(*slots, of=10):
    """Return weightings (time, heads, slots): at each step, each head is on one of these slots."""
    weighting = np.zeros((6, len(slots), of))
    for head, slot in enumerate(slots):
        weighting[:, head, slot] = 1
    return weighting


def values(ax):
    return ax.images[0].get_array().filled(np.nan).T


def test_each_panel_shows_its_values_at_their_steps():
    probabilities = np.array([[0.9, 0.2, 0], [0, 0.25, 1]], "float32")
    weightings = {"write weighting": heads(4), "read weighting": heads(5, 5)}
    axes = copying(TARGET, probabilities, weightings, "a title").axes
    panels = {ax.get_ylabel(): values(ax) for ax in axes if ax.images}
    assert list(panels)[:3] == ["input, target", "output", "error"]
    assert list(panels)[3:] == ["write weighting", "read weighting 1", "read weighting 2"]
    np.testing.assert_array_equal(panels["input, target"][1:3], TARGET)
    np.testing.assert_array_equal(panels["input, target"][4:6], TARGET)
    assert np.isnan(panels["input, target"][[0, 3]]).all()
    np.testing.assert_array_equal(panels["output"][4:], probabilities)
    assert np.isnan(panels["output"][:4]).all() and np.isnan(panels["error"][:4]).all()
    expected = [[0.1, 0.2, 0], [0, 0.75, 0]]
    np.testing.assert_allclose(panels["error"][4:], expected, atol=1e-6)
    # Slots 2 to 7: the used ones, 4 and 5, and two on either side.
    np.testing.assert_array_equal(panels["write weighting"], heads(2, of=6)[:, 0])
    np.testing.assert_array_equal(panels["read weighting 2"], heads(3, of=6)[:, 0])


def test_slots_are_shown_in_circular_order():
    axes = copying(TARGET, TARGET, {"read weighting": heads(9, 0)}, "").axes
    labels = [text.get_text() for text in axes[3].get_yticklabels()]
    assert labels == ["7", "8", "9", "0", "1", "2"]


@pytest.mark.parametrize("used", [[], list(range(0, 10, 2)), list(range(10))])
def test_all_slots_are_shown_if_none_or_all_are_in_use(used):
    weighting = heads(*used or [0]) if used else np.full((6, 1, 10), 0.01)
    axes = copying(TARGET, TARGET, {"read weighting": weighting}, "").axes
    assert values(axes[3]).shape == (6, 10)


def test_a_model_without_a_memory_has_three_panels():
    axes = copying(TARGET, TARGET, {}, "").axes
    assert [ax.get_ylabel() for ax in axes if ax.images] == ["input, target", "output", "error"]


def test_a_curve_shows_zero_errors_and_the_training_lengths():
    (ax,) = length_curve({"NTM": {20: 0.0, 10: 0.0, 120: 3.5}, "LSTM": {10: 40.0}}, 20).axes
    first, second = ax.lines
    np.testing.assert_array_equal(first.get_xydata(), [[10, 0], [20, 0], [120, 3.5]])
    np.testing.assert_array_equal(second.get_xydata(), [[10, 40]])
    assert ax.get_ylim()[0] < 0 < 40 < ax.get_ylim()[1]
    (trained,) = ax.patches
    assert trained.get_extents().transformed(ax.transData.inverted()).intervalx.tolist() == [0, 20]
