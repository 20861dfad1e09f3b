import itertools
import warnings

import numpy as np
import pytest

from apps.common.errors import UserError
from apps.common.files import save_picture
from apps.translator.pictures import attention_map, compare, length_curves
from apps.translator.scores import Band

SOURCE, PIECES = ["▁two", "▁dog", "s"], ["▁zwei", "▁Hunde", "</s>"]
WEIGHTS = np.array([[0.9, 0.1, 0], [0, 0.6, 0.4], [0.2, 0.2, 0.6]], "float32")


def test_each_row_has_the_weights_of_a_piece():
    ax = attention_map(SOURCE, PIECES, WEIGHTS).axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), WEIGHTS)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["two", "dog", "·s"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["zwei", "Hunde", "(end)"]
    assert ax.yaxis_inverted()  # the first piece on top


def test_any_number_of_labels_does_not_overlap():
    pieces = [f"▁piece{i}" for i in range(150)]
    ax = attention_map(pieces, pieces[:90], np.eye(90, 150)).axes[0]
    ax.figure.draw_without_rendering()
    extents = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(a.x1 <= b.x0 for a, b in itertools.pairwise(extents))
    extents = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(b.y1 <= a.y0 for a, b in itertools.pairwise(extents))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_any_piece_can_be_drawn(tmp_path, suffix):
    odd = ["$", "$$", "$\\frac{$", "日本", "▁مرحبا", "😀", "\ufffd", "<unk>", "&lt;", "_^{"]
    path = tmp_path / f"a.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        save_picture(attention_map(odd, odd, np.eye(len(odd))), path)
    assert path.stat().st_size > 1000


def test_curves_show_bands_from_short_to_long():
    bands = {"1-5": Band(1000, 50.0), "6-10": Band(7, 0.0)}
    ax = length_curves({"attention": bands, "none": {"1-5": Band(1000, 40.0)}}).axes[0]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[50, 0], [40]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["attention", "none"]
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["1-5\n1,000", "6-10\n7"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 50


def result(checksum="abc", **bands):
    bands = bands or {"1-5": {"sentences": 3, "bleu": 40.0}, "6-10": {"sentences": 2, "bleu": 30.0}}
    return {"by_length": bands, "evaluated_checksum": checksum}


def test_compare_draws_one_curve_per_result():
    ax = compare({name: result() for name in ("attention", "none")}).axes[0]
    assert [line.get_label() for line in ax.lines] == ["attention", "none"]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[40, 30]] * 2


def test_results_of_different_sentences_are_not_compared():
    with pytest.raises(UserError, match="a, b: evaluated on different sentences"):
        compare({name: result(checksum=name) for name in ("a", "b")})


@pytest.mark.parametrize("row", [{}, {"by_length": {"1-5": 3}}, {"by_length": []}], ids=str)
def test_a_result_without_bleu_by_length_is_reported(row):
    with pytest.raises(UserError, match="mine: no BLEU by length"):
        compare({"mine": row})
