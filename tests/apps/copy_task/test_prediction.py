"""Lines and records of `predict`, with a fake model that gets the given bits wrong."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from apps.common.errors import UserError
from apps.copy_task.config import PredictOptions
from apps.copy_task.prediction import predict

SLOTS = 4


def copying(*wrong, width=4, memory=True):
    """Return signatures that copy all bits except the given ones: (vector, bit) from 0."""

    def serve(bits):
        probabilities = np.where(bits.numpy() == 1, 0.9, 0.1).astype("float32")
        for vector, bit in wrong:
            probabilities[:, vector, bit] = 1 - probabilities[:, vector, bit]
        batch, length, _ = probabilities.shape
        answer = {"probabilities": probabilities, "copy": (probabilities > 0.5).astype("int32")}
        if memory:
            weighting = np.full((batch, 2 * length + 2, 1, SLOTS), 1 / SLOTS, "float32")
            answer |= {"read_weighting": weighting, "write_weighting": weighting}
            answer["exceeds_memory"] = np.repeat(length > SLOTS, batch)
        return {name: tf.constant(array) for name, array in answer.items()}

    serve.structured_outputs = {"copy": tf.TensorSpec([None, None, width])}
    return {"serving_default": serve}


def answers(lines, options=None, signatures=None):
    batches = ([line] for line in lines)
    return list(predict(options or PredictOptions(), signatures or copying(), batches))


def test_a_copy_without_error(capsys):
    ((text, record),) = answers(["1011  0001 "])
    assert text == "1011 0001\n  copied without error"
    assert record == {
        "bits": "1011 0001",
        "copy": "1011 0001",
        "wrong": [],
        "probabilities": [[0.9, 0.1, 0.9, 0.9], [0.1, 0.1, 0.1, 0.9]],
        "exceeds_memory": False,
    }
    assert capsys.readouterr().err == ""


def test_wrong_bits_are_listed():
    ((text, record),) = answers(["1011 0001"], signatures=copying((0, 1), (1, 3)))
    assert text == "1111 0000\n  2 of 8 bits wrong: vector 1 bit 2, vector 2 bit 4"
    assert record["wrong"] == [{"vector": 1, "bit": 2}, {"vector": 2, "bit": 4}]


def test_only_the_first_of_many_wrong_bits_are_listed():
    wrong = itertools.product((0, 1), range(4))
    ((text, record),) = answers(["1011 0001"], signatures=copying(*wrong))
    assert text.endswith("8 of 8 bits wrong: vector 1 bit 1, vector 1 bit 2, vector 1 bit 3, "
                         "vector 1 bit 4, vector 2 bit 1, 3 more")  # fmt: skip
    assert len(record["wrong"]) == 8


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("101 0001", "line 2: vector 1: 3 bits, but the model has 4"),
        ("1011 00012", "line 2: vector 2: '2' is not a bit"),
        ("1011,0001", "line 2: vector 1: ',' is not a bit"),
        ("", "line 2: no vectors; write vectors of 4 bits"),
        ("\t ", "line 2: no vector"),
    ],
)
def test_a_bad_line_is_reported_after_the_lines_before_it_are_answered(line, message):
    results = predict(PredictOptions(), copying(), iter([["1111", line, "0000"]]))
    assert next(results)[0].startswith("1111")
    with pytest.raises(UserError, match=message):
        next(results)


def test_a_sequence_longer_than_the_memory_is_copied_with_a_warning(capsys):
    results = answers(["0 1 0 1", "0 1 0 1 1"], signatures=copying(width=1))
    assert [record["exceeds_memory"] for _, record in results] == [False, True]
    assert results[1][0].startswith("0 1 0 1 1\n")
    err = capsys.readouterr().err
    assert err == "warning: line 2: 5 vectors do not fit into the memory's 4 slots\n"


def test_a_model_without_a_memory_gives_no_warning(capsys, tmp_path):
    signatures = copying(width=1, memory=False)
    options = PredictOptions(picture=tmp_path / "picture.png")
    ((text, record),) = answers(["0 1 0 1 1"], options, signatures)
    assert text.endswith("copied without error")
    assert record["exceeds_memory"] is False
    assert capsys.readouterr().err == f"wrote {options.picture}\n"
    assert options.picture.is_file()


def test_a_random_sequence_depends_only_on_the_seed():
    (text, record), (line, _) = answers(["1111"], PredictOptions(random=30, seed=1))
    assert text == f"  random: {record['bits']}\n{record['copy']}\n  copied without error"
    vectors = record["bits"].split()
    assert len(vectors) == 30 and {len(vector) for vector in vectors} == {4}
    assert 30 < record["bits"].count("1") < 90
    assert line.startswith("1111\n")
    again = answers([], PredictOptions(random=30, seed=1))
    other = answers([], PredictOptions(random=30, seed=2))
    assert again == [(text, record)] != other


def test_the_picture_shows_the_last_sequence(tmp_path, monkeypatch):
    drawn = []
    picture = Figure()
    monkeypatch.setattr(
        "apps.copy_task.pictures.copying", lambda *args: drawn.append(args) or picture
    )
    options = PredictOptions(picture=tmp_path / "picture.svg", random=3)
    answers(["1111", "1011 0001"], options, copying((0, 1)))
    ((target, probabilities, weightings, title),) = drawn
    assert options.picture.exists()
    assert target.tolist() == [[1, 0, 1, 1], [0, 0, 0, 1]]
    assert probabilities.round(1).tolist() == pytest.approx(
        np.array([[0.9, 0.9, 0.9, 0.9], [0.1, 0.1, 0.1, 0.9]])
    )
    assert [(name, w.shape) for name, w in weightings.items()] == [
        ("write weighting", (6, 1, SLOTS)),
        ("read weighting", (6, 1, SLOTS)),
    ]
    assert title == "length 2: 1 of 8 bits wrong"


def test_without_sequences_there_is_no_picture(tmp_path):
    assert answers([], PredictOptions(picture=tmp_path / "picture.png")) == []
    assert not list(tmp_path.iterdir())


def test_an_existing_picture_is_not_overwritten_and_nothing_is_answered(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"mine")
    with pytest.raises(UserError, match="exists and is not overwritten"):
        next(predict(PredictOptions(picture=path), copying(), iter([["1111"]])))
    assert path.read_bytes() == b"mine"


def test_an_export_of_another_task_is_refused():
    signature = SimpleNamespace(structured_outputs={"probabilities": None})
    with pytest.raises(UserError, match="trained for another task"):
        next(predict(PredictOptions(), {"serving_default": signature}, iter([["1111"]])))


def test_a_random_sequence_has_at_least_one_vector():
    with pytest.raises(UserError, match="random must be 1 to 10000, not 0"):
        PredictOptions(random=0)
