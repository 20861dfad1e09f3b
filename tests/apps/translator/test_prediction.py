"""Lines and records of `predict` and `score`, with signatures that reverse sentences."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from apps.common.errors import UserError
from apps.translator.config import PredictOptions
from apps.translator.prediction import predict, score

BEAMS, MAX_WORDS = 3, 4  # beams, and words of a sentence before it is cut


class FakeSignature:
    """A signature with the shapes of its outputs."""

    def __init__(self, function, **shapes):
        self.function = function
        self.structured_outputs = {k: SimpleNamespace(shape=s) for k, s in shapes.items()}

    def __call__(self, **inputs):
        return {
            name: tf.constant(array)
            for name, array in self.function(
                **{name: tensor.numpy() for name, tensor in inputs.items()}
            ).items()
        }


def words(line):
    return line.decode().split()[:MAX_WORDS]


def pad(rows):
    width = max(map(len, rows))
    return np.array([[*row, *[""] * (width - len(row))] for row in rows], object)


def translate(text):
    sources = [words(line) for line in text]
    # Translations of sentences that begin with "on" never end.
    pieces = [[*row[::-1], *["</s>"][row[:1] == ["on"] :]] if row else [] for row in sources]
    return {
        "translation": np.array([" ".join(row[::-1]) for row in sources], object),
        "scores": np.full(len(text), -0.5, "float32"),
        "pieces": pad(pieces),
        "source_pieces": pad(sources),
        "cut": np.array([len(line.split()) > MAX_WORDS for line in text]),
        "attention": np.ones((len(text), max(map(len, pieces)), MAX_WORDS), "float32") / MAX_WORDS,
    }


def n_best(text):
    scores = np.tile(np.array([[-0.5, -1, -np.inf]], "float32"), (len(text), 1))
    best = [[" ".join(words(line)[::-1]), f"{line.decode()}?", ""] for line in text]
    return {"translations": np.array(best, object), "scores": scores}


def sample(text, seed, temperature):
    drawn = [f"{line.decode()} {seed[0]}.{seed[1]}.{i}" for i, line in enumerate(text)]
    return {"translation": np.array(drawn, object), "scores": np.full(len(text), -temperature)}


def score_pairs(source, target):
    pieces = [[*words(line), "</s>"] for line in target]
    lengths = np.array([len(row) for row in pieces])
    log_p = np.where(np.arange(lengths.max()) < lengths[:, None], -0.5, 0).astype("float32")
    return {
        "pieces": pad(pieces),
        "log_probabilities": log_p,
        "log_likelihoods": log_p.sum(axis=1),
        "lengths": lengths,
        "cut": np.array([len(line.split()) > MAX_WORDS for line in source]),
    }


def signatures(attention=None):
    return {
        "serving_default": FakeSignature(translate, attention=(None, None, attention)),
        "n_best": FakeSignature(n_best, scores=(None, BEAMS)),
        "sample": FakeSignature(sample),
        "score": FakeSignature(score_pairs),
    }


def answers(batches, functions=None, **options):
    return list(predict(PredictOptions(**options), functions or signatures(), batches))


def test_a_translation_and_its_record(capsys):
    ((text, record), (empty, _)) = answers([["a b", ""]])
    assert (text, empty) == ("b a", "")
    assert record == {
        "translation": "b a",
        "score": -0.5,
        "pieces": ["b", "a", "</s>"],
        "complete": True,
        "source_pieces": ["a", "b"],
        "cut": False,
    }
    assert capsys.readouterr().err == ""


def test_alternatives_follow_with_their_scores():
    ((text, record),) = answers([["a b"]], n_best=3)
    assert text == "b a\n  -0.5000  b a\n  -1.0000  a b?"  # only two of the three exist
    assert [best["translation"] for best in record["n_best"]] == ["b a", "a b?"]
    ((text, _),) = answers([["a b"]], n_best=2)
    assert text.count("\n") == 2


def test_more_alternatives_than_beams_are_an_error_before_any_answer():
    with pytest.raises(UserError, match="n_best is 4, but this export has a beam of 3"):
        answers([["a"]], n_best=4)


def test_samples_depend_on_seed_and_line_not_on_the_batch():
    together = answers([["a", "b"]], sample=2, seed=7, temperature=0.5)
    assert together[1][0] == "b\n  -0.5000  b 7.2.0\n  -0.5000  b 7.2.1"
    assert answers([["a"], ["b"]], sample=2, seed=7, temperature=0.5) == together


def test_a_sentence_that_is_too_long_is_reported(capsys):
    records = answers([["a"], ["a b", "a b c d e"]])
    assert [record["cut"] for _, record in records] == [False, False, True]
    assert capsys.readouterr().err == "warning: line 3: too long; only the beginning is used\n"


def test_a_sentence_of_unknown_characters_is_reported(capsys):
    answers([["<unk> <unk>", "<unk> a"]])
    error = capsys.readouterr().err
    assert error.startswith("warning: line 1: the model knows none of its characters; the tr")
    assert error.count("\n") == 1


def test_an_incomplete_translation_is_reported(capsys):
    records = answers([["a", ""], ["on b"]])
    assert [record["complete"] for _, record in records] == [True, True, False]
    assert "line 3: its translation is incomplete after 2 pieces" in capsys.readouterr().err


def test_the_picture_shows_the_last_line(tmp_path, monkeypatch):
    drawn = []
    picture = Figure()
    monkeypatch.setattr(
        "apps.translator.pictures.attention_map", lambda *args: drawn.append(args) or picture
    )
    answers([["a b c d", "a"], ["x y"]], attention=tmp_path / "a.png")
    ((source_pieces, pieces, weights),) = drawn
    assert (tmp_path / "a.png").exists()
    assert (source_pieces, pieces) == (["x", "y"], ["y", "x", "</s>"])
    assert weights.shape == (3, 2)


@pytest.mark.parametrize(
    ("lines", "attention", "name", "message"),
    [
        (["a"], None, "mine.png", "exists and is not overwritten"),
        (["a"], None, "a.jpeg", r"must end in \.png"),
        (["a"], 1, "a.png", "trained without attention"),
        (["a", ""], None, "a.png", "the last line is empty"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_reported(tmp_path, lines, attention, name, message):
    (tmp_path / "mine.png").write_bytes(b"mine")
    with pytest.raises(UserError, match=message):
        answers([lines], signatures(attention), attention=tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]


def test_without_lines_there_is_no_picture(tmp_path):
    assert answers([], attention=tmp_path / "a.png") == []
    assert not list(tmp_path.iterdir())


def test_scores_of_given_pairs(tmp_path, capsys):
    ((text, record),) = score(signatures(), ("a b c d e", "x y"), None)
    assert text == "-1.5000  -0.5000  x y"
    assert record == {
        "source": "a b c d e",
        "target": "x y",
        "log_likelihood": -1.5,
        "per_piece": -0.5,
        "pieces": ["x", "y", "</s>"],
        "log_probabilities": [-0.5] * 3,
        "cut": True,
    }
    assert capsys.readouterr().err == "warning: pair 1: too long; only the beginning is used\n"
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"a\t{'x ' * (i % 3 + 1)}\n" for i in range(150)))
    records = list(score(signatures(), (), path))
    assert [record["log_likelihood"] for _, record in records] == [-1, -1.5, -2] * 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_best": 0}, "n_best must be 1 to 100, not 0"),
        ({"sample": 0}, "sample must be 1 to 1000, not 0"),
        ({"sample": 2, "n_best": 2}, "give either n_best or sample"),
        ({"temperature": 0.0}, "temperature must be above 0, not 0.0"),
        ({"temperature": float("nan")}, "temperature must be above 0, not nan"),
        ({"seed": -1}, "seed must be 0 to 2147483647, not -1"),
    ],
)
def test_bad_options_get_a_one_line_error(options, message):
    with pytest.raises(UserError, match=message):
        PredictOptions(**options)
