"""Curves of several results."""

import json

import pytest

from apps.common.errors import UserError
from apps.translator.curves import draw


def result(folder, name, checksum="abc"):
    path = folder / f"{name}.json"
    bands = {"1-5": {"sentences": 3, "bleu": 40.0}, "6-10": {"sentences": 2, "bleu": 30.0}}
    path.write_text(json.dumps({"by_length": bands, "evaluated_checksum": checksum}))
    return path


def test_a_curve_a_result(tmp_path):
    picture = tmp_path / "curves.svg"
    draw(picture, {name: result(tmp_path, name) for name in ("attention", "none")})
    assert "<svg" in picture.read_text()


def test_results_of_other_sentences_are_not_compared(tmp_path):
    files = {name: result(tmp_path, name, checksum=name) for name in ("a", "b")}
    with pytest.raises(UserError, match=r"a\.json.*b\.json: not of the same sentences"):
        draw(tmp_path / "curves.svg", files)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"by_length": {"1-5": 3}}'])
def test_what_is_no_result_is_named(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"other\.json: no result of evaluate --json"):
        draw(tmp_path / "curves.svg", {"a": path})
