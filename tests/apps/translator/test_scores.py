import pytest

from apps.translator.config import Config
from apps.translator.evaluation import language_of
from apps.translator.scores import by_length, exact, length_table, metric, moses, score
from datasets.translation import Pair


def test_moses_tokenizes_like_the_published_files():
    assert moses(["A man's “dog” isn't here: 3,000 km away…"], "en") == [
        "a man &apos;s &quot; dog &quot; isn &apos;t here : 3,000 km away ..."
    ]
    assert moses(["Zwei Männer (u.a. Köche) gehen.", ""], "de") == [
        "zwei männer ( u.a. köche ) gehen .",
        "",
    ]


def test_the_references_get_perfect_scores():
    lines = ["Ein Mann fährt Rad im Park.", "Zwei Hunde spielen im Schnee."]
    scores = score(lines, lines, "de")
    assert scores.pop("ter") == 0
    assert scores == pytest.approx({"bleu": 100, "chrf": 100, "bleu_lower_tok": 100, "exact": 100})


def test_case_and_punctuation_count_except_in_the_published_score():
    scores = score(["ein mann fährt „rad“ im park"], ['Ein Mann fährt "Rad" im Park'], "de")
    assert scores["bleu"] < 50 and scores["exact"] == 0
    assert scores["bleu_lower_tok"] == pytest.approx(100)


def test_the_published_score_is_left_out_where_it_would_be_0():
    dates = ["2014-03-07", "1999-05-01"]
    scores = score(dates, dates, "en")
    assert "bleu_lower_tok" not in scores and scores["bleu"] == pytest.approx(100)


def test_exact_is_a_percentage():
    assert exact(["a", "b", "c", "d"], ["a", "x", "c", "D"]) == 50


def test_scores_by_length():
    pairs = [Pair("one two", "eins zwei drei vier"), Pair("word " * 7, "sieben Wörter sind das")]
    pairs.append(Pair("word " * 40, "vierzig Wörter sind es doch"))
    bands = by_length(pairs, [pairs[0].target, "ganz etwas anderes hier", pairs[2].target])
    assert list(bands) == ["1-5", "6-10", "31+"]
    assert [count for count, _ in bands.values()] == [1, 1, 1]
    assert [bleu for _, bleu in bands.values()] == pytest.approx([100, 0, 100])
    assert length_table(bands).splitlines()[1].split() == ["1-5", "1", "100.00"]


def test_the_metric_names_its_libraries():
    text = metric()
    assert "BLEU nrefs:1|case:mixed" in text and "chrF2 nrefs:1" in text and "TER nrefs:1" in text
    assert "sacremoses 0." in text


def test_the_target_language():
    assert language_of(Config(dataset="multi30k")) == "de"
    assert language_of(Config(dataset="multi30k", target="fr")) == "fr"
    assert language_of(Config(dataset="tatoeba", source="de")) == "en"
