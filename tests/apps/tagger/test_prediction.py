"""Lines that `predict` shows, from exports with and without log-probabilities."""

import numpy as np
import pytest

from apps.common.errors import UserError
from apps.tagger.config import PredictOptions
from apps.tagger.prediction import predict


def signatures_of(log_p, with_logs):
    """Return signatures that answer one line, `word`, with the given taggings."""
    log_p = np.array([log_p], "float32")
    best = {
        "tags": np.array([[[b"A"], [b"B"], [b"C"]]], object),
        "probabilities": np.exp(log_p),
        "lengths": np.array([1]),
    }
    if with_logs:
        best["log_probabilities"] = log_p
    line = {
        "text": np.array([b"word/A"], object),
        "words": np.array([[b"word"]], object),
        "tags": np.array([[b"A"]], object),
        "probabilities": np.array([[0.5]]),
        "lengths": np.array([1]),
    }

    def answer(values):
        return lambda **_: {name: Tensor(value) for name, value in values.items()}

    return {"serving_default": answer(line), "n_best": answer(best)}


class Tensor:
    def __init__(self, value):
        self.value = value

    def numpy(self):
        return self.value


@pytest.mark.parametrize(
    ("log_p", "with_logs", "lines"),
    [
        (np.log([0.5, 0.3, 0.2]), True, ["0.5000  A", "0.3000  B", "0.2000  C"]),
        ([-0.1, -12, -1e9], True, ["0.9048  A", "6.1e-06  B"]),  # there are only two
        ([-100, -2300.25, -2300.5], True, ["3.7e-44  A", "exp(-2300.2)  B", "exp(-2300.5)  C"]),
        ([-2300, -2301, -2302], False, ["0.0000  A", "0.0000  B", "0.0000  C"]),
        ([-90, -200, -300], False, ["8.2e-40  A", "0.0000  B", "0.0000  C"]),
        ([-0.1, -2.4, -1e9], False, ["0.9048  A", "0.0907  B"]),
    ],
    ids=str,
)
def test_all_taggings_that_exist_are_shown_with_their_probabilities(log_p, with_logs, lines):
    options = PredictOptions(n_best=3)
    ((text, record),) = predict(options, signatures_of(log_p, with_logs), [["word"]])
    assert text.split("\n") == ["word/A", *(f"  {line}" for line in lines)]
    found = [tagging["log_probability"] for tagging in record["n_best"]]
    if with_logs:
        np.testing.assert_allclose(found, log_p[: len(lines)], rtol=1e-6)
    assert [t["probability"] for t in record["n_best"]] == pytest.approx(
        np.exp(log_p[: len(lines)]).tolist(), rel=1e-5, abs=1e-36
    )


def test_a_page_of_one_tagging_is_announced(tmp_path, capsys):
    options = PredictOptions(n_best=3, html=tmp_path / "page.html")
    list(predict(options, signatures_of([-0.1, -2, -3], True), [["word"]]))
    assert "the page shows the best tagging alone; --json" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"page\.txt: its name must end in \.html"):
        list(predict(PredictOptions(html=tmp_path / "page.txt"), {}, []))
