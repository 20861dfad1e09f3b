import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from apps.tagger.config import Config
from apps.tagger.evaluation import evaluate, tag_sentences
from apps.tagger.vocabulary import Vocabulary
from datasets.formats.columns import Sentence

TREEBANK = """\
# text = Don't go.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No
4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\t_

# text = Go home!
1\tGo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
2\thome\thome\tADV\tRB\t_\t1\tadvmod\t_\tSpaceAfter=No
3\t!\t!\tPUNCT\t.\t_\t1\tpunct\t_\t_
"""


def all_verbs(words):
    """Tag every word as a verb."""
    return {"tags": tf.where(words != "", "VERB", "")}


def all_verbs_of_text(text):
    """Tag every word as a verb, without splitting Don't into two words."""
    words = tf.strings.split(tf.strings.regex_replace(text, r"([.!])", r" \1")).to_tensor("")
    lengths = tf.reduce_sum(tf.cast(words != "", tf.int32), axis=1)
    return {"words": words, "lengths": lengths, **all_verbs(words)}


SIGNATURES = {"words": all_verbs, "serving_default": all_verbs_of_text}


@pytest.fixture
def config(tmp_path):
    """Return the configuration of a tagger that was trained on the first sentence only."""
    (tmp_path / "train.conllu").write_text(TREEBANK.split("\n\n")[0] + "\n")
    (tmp_path / "test.conllu").write_text(TREEBANK)
    sentences = [Sentence(["Do", "n't", "go", "."], ["AUX", "PART", "VERB", "PUNCT"])]
    Vocabulary.of(sentences, 1).save(tmp_path)
    files = {f"{split}_file": tmp_path / "train.conllu" for split in ("train", "dev")}
    return Config(**files, test_file=tmp_path / "test.conllu")


def test_scores_by_hand(config, tmp_path, capsys):
    evaluation = evaluate(config, SIGNATURES, tmp_path, "test")
    assert evaluation.size == {"sentences": 2, "words": 7}
    scores = evaluation.scores
    assert scores["accuracy"] == pytest.approx(100 * 2 / 7)
    assert scores["unseen_accuracy"] == pytest.approx(100 * 1 / 3)  # Go, home, !
    assert scores["seen_accuracy"] == pytest.approx(100 * 1 / 4)
    # The text splitter finds 6 words instead of 7; 5 are right, and 2 of these are verbs.
    assert scores["token_f1"] == pytest.approx(100 * 2 * 5 / 13)
    assert scores["tag_f1"] == pytest.approx(100 * 2 * 2 / 13)
    assert evaluation.baselines["most frequent tag of the word"]["accuracy"] == pytest.approx(
        100 * 4 / 7
    )
    assert "PUNCT  VERB           2" in evaluation.details
    warning = (
        f"{config.test_file}: tags that do not occur in training count as errors: ADV (line 10)"
    )
    assert warning in capsys.readouterr().err


def test_sentences_whose_words_differ_from_the_text_are_left_out(config, tmp_path):
    zum = "1-2\tzum\t_\t_\t_\t_\t_\t_\t_\t_\n1\tzu\tzu\tAUX\tX\t_\t0\tx\t_\t_\n"
    zum += "2\tdem\tder\tPART\tX\t_\t0\tx\t_\t_\n"
    file = tmp_path / "german.conllu"
    file.write_text(f"{TREEBANK}\n# text = zum\n{zum}")
    evaluation = evaluate(config, SIGNATURES, tmp_path, "test", file)
    assert evaluation.scores["token_f1"] == pytest.approx(100 * 2 * 5 / 13)
    assert "scores from raw text: of the 2 of 3 sentences" in evaluation.details
    file.write_text(f"# text = zum\n{zum}")
    evaluation = evaluate(config, SIGNATURES, tmp_path, "test", file)
    assert "token_f1" not in evaluation.scores
    assert "no scores from raw text" in evaluation.details


def test_without_the_training_data_an_export_is_scored_without_baselines(config, tmp_path):
    gone = dataclasses.replace(config, train_file=tmp_path / "gone")
    evaluation = evaluate(gone, SIGNATURES, tmp_path, "test", tmp_path / "test.conllu")
    assert evaluation.scores["accuracy"] == pytest.approx(100 * 2 / 7)
    assert evaluation.baselines == {}
    assert "no baselines or scores of unseen words" in evaluation.details


def test_sentences_are_returned_in_order():
    words = [["b"] * 3, ["a"], ["c"] * 200] + [[str(n)] * (n % 7 + 1) for n in range(150)]
    echo = {"words": lambda words: {"tags": words}}
    assert tag_sentences(echo, words) == words
    assert tag_sentences(echo, []) == []


def test_long_sentences_do_not_pad_short_ones():
    words = [["b"] * 3, ["a"], ["c"] * 200] + [[str(n)] * (n % 7 + 1) for n in range(150)]
    shapes = []
    record = {"words": lambda words: shapes.append(words.shape) or {"tags": words}}
    tag_sentences(record, words)
    # In the given order, the first batch alone would be 64 x 200.
    assert sum(np.prod(shape) for shape in shapes) < 6000


def test_a_text_with_characters_that_the_splitter_drops_is_left_out(config, tmp_path):
    file = tmp_path / "zero.conllu"
    row = "1\ta\u200bb\t_\tVERB\t_\t_\t0\troot\t_\t_\n"
    file.write_text(f"{TREEBANK}\n# text = a\u200bb\n{row}")

    def drops(text):
        return all_verbs_of_text(tf.strings.regex_replace(text, "\u200b", ""))

    signatures = {"words": all_verbs, "serving_default": drops}
    evaluation = evaluate(config, signatures, tmp_path, "test", file)
    assert "scores from raw text: of the 2 of 3 sentences" in evaluation.details
