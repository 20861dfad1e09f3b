import pytest
import tensorflow as tf

from apps.tagger.config import Config
from apps.tagger.scores import baselines, evaluate, label_table, score
from datasets.columns import Sentence

TRAIN = [
    Sentence(["the", "lord", "of", "israel"], ["lower", "UPPER", "lower", "Title."]),
    Sentence(["the", "lord", "said", "go"], ["Title", "UPPER", "lower,", "Title!"]),
    Sentence(["the", "king"], ["lower", "lower"]),
]


def test_baselines_by_hand():
    sentences = [
        Sentence(["the", "lord", "said"], ["?"] * 3),
        Sentence(["israel", "new"], ["?"] * 2),
    ]
    guesses = baselines(TRAIN, sentences, restores=True)
    assert guesses == {
        "majority tag": ["lower"] * 5,
        "last word": ["lower", "UPPER", "lower,", "Title.", "lower"],
        "capital first, full stop last": ["Title", "UPPER", "lower.", "Title", "lower."],
    }
    assert list(baselines(TRAIN, sentences, restores=False)) == ["majority tag", "last word"]


def test_macro_f1_is_over_the_gold_labels():
    # a: precision 2/3, recall 1 -> 0.8; b: 0. The stray label c is none of the gold ones.
    assert score(["a", "a", "b", "b"], ["a", "a", "a", "c"]) == pytest.approx(
        {"accuracy": 50.0, "macro_f1": 40.0}
    )


def test_label_table():
    assert label_table(["a", "a", "b"], ["a", "b", "b"]).splitlines() == [
        "label  precision  recall     F1  support",
        "a         100.00   50.00  66.67        2",
        "b          50.00  100.00  66.67        1",
    ]


def test_far_from_its_training_data_an_export_is_scored_without_baselines(tmp_path):
    file = tmp_path / "test.conll"
    file.write_text("a X\nb Y\n")
    config = Config(train_file=tmp_path / "gone", dev_file=tmp_path / "gone")
    signatures = {"words": lambda words: {"tags": tf.where(words != "", "X", "")}}
    evaluation = evaluate(config, signatures, "test", file)
    assert evaluation.scores["accuracy"] == 50
    assert evaluation.baselines == {}
    assert "without baselines, which need the training data" in evaluation.details
