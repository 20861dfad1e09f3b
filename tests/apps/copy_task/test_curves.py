"""Curves of several results."""

import json

import pytest

from apps.common.errors import UserError
from apps.copy_task.curves import draw


def result(folder, seed):
    path = folder / f"{seed}.json"
    scores = {"bit_errors_10": 0.0, "bit_errors_20": 0.5 * seed, "bits_10": 9.0}
    path.write_text(json.dumps({"seed": seed, "scores": scores}))
    return path


def test_a_curve_a_result(tmp_path):
    picture = tmp_path / "curves.svg"
    draw(picture, [result(tmp_path, seed) for seed in (0, 3)])
    assert "<svg" in picture.read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_what_is_no_result_is_named(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"other\.json: no result of evaluate --json"):
        draw(tmp_path / "curves.svg", [path])
