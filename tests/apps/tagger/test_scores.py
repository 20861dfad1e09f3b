from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tagger.scores import (
    align,
    baselines,
    class_table,
    confusions,
    metric,
    raw_text_score,
    score,
    seen_and_unseen,
)
from datasets.formats.columns import Sentence

TRAIN = [
    Sentence(["the", "lord", "of", "israel"], ["lower", "UPPER", "lower", "Title."]),
    Sentence(["the", "lord", "said", "go"], ["Title", "UPPER", "lower,", "Title!"]),
    Sentence(["the", "king"], ["lower", "lower"]),
]


def test_macro_f1_is_over_the_gold_labels():
    # a: precision 2/3, recall 1 -> 0.8; b: 0. The label c is not among the gold ones.
    assert score([["a"], ["a", "b", "b"]], [["a"], ["a", "a", "c"]], spans=False) == pytest.approx(
        {"accuracy": 50.0, "macro_f1": 40.0}
    )


def test_spans_by_hand():
    # Gold: NP 0-1, VP 2, NP 4; NP 0. Predicted: NP 0-1, VP 2-3, NP 4; none. 2 of 3, 2 of 4.
    gold = [["B-NP", "I-NP", "B-VP", "O", "B-NP"], ["B-NP", "O"]]
    predicted = [["B-NP", "I-NP", "B-VP", "I-VP", "B-NP"], ["O", "O"]]
    assert score(gold, predicted, spans=True) == pytest.approx(
        {"accuracy": 100 * 5 / 7, "precision": 200 / 3, "recall": 50.0, "f1": 400 / 7}
    )
    assert class_table(gold, predicted, spans=True).splitlines() == [
        "class  precision  recall     F1  support",
        "NP        100.00   66.67  80.00        3",
        "VP          0.00    0.00   0.00        1",
    ]


def test_a_span_does_not_continue_in_the_next_sentence():
    assert score([["B-X"], ["I-X"]], [["B-X"], ["B-X"]], spans=True)["f1"] == 100.0


def test_without_any_spans():
    assert score([["O", "O"]], [["O", "O"]], spans=True) == {
        "accuracy": 100.0,
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
    }


def brute_force_spans(tags):
    """Return all maximal intervals of words inside which each tag continues the previous one."""

    def goes_on(before, after):
        same_class = before[1:] == after[1:] != ""
        return same_class and before[0] in "BI" and after[0] in "IE"

    tags = ["O", *tags, "O"]
    return {
        (begin, end, tags[begin][2:])
        for begin in range(1, len(tags))
        for end in range(begin + 1, len(tags))
        if tags[begin] != "O"
        and all(goes_on(*pair) for pair in pairwise(tags[begin:end]))
        and not goes_on(tags[begin - 1], tags[begin])
        and not goes_on(tags[end - 1], tags[end])
    }


TAG = st.sampled_from(["O", *(f"{prefix}-{name}" for prefix in "BIES" for name in "XY")])
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), max_size=8), min_size=1).filter(any)


@given(PAIRS)
def test_spans_against_brute_force(pairs):
    gold = [[right for right, _ in sentence] for sentence in pairs]
    predicted = [[guess for _, guess in sentence] for sentence in pairs]
    ours, theirs = (
        {(number, *span) for number, tags in enumerate(side) for span in brute_force_spans(tags)}
        for side in (gold, predicted)
    )
    scores = score(gold, predicted, spans=True)
    both = len(ours & theirs)
    assert scores["precision"] == pytest.approx(100 * both / max(1, len(theirs)))
    assert scores["recall"] == pytest.approx(100 * both / max(1, len(ours)))
    assert scores["f1"] == pytest.approx(200 * both / max(1, len(ours) + len(theirs)))
    _, *rows = class_table(gold, predicted, spans=True).splitlines()
    support = {name: sum(span[-1] == name for span in ours) for *_, name in ours | theirs}
    assert {row.split()[0]: int(row.split()[-1]) for row in rows} == support


def test_label_table():
    assert class_table([["a", "a"], ["b"]], [["a", "b"], ["b"]], spans=False).splitlines() == [
        "label  precision  recall     F1  support",
        "a         100.00   50.00  66.67        2",
        "b          50.00  100.00  66.67        1",
    ]


@pytest.mark.parametrize("spans", [False, True])
@pytest.mark.parametrize(
    ("gold", "predicted", "problem"),
    [
        ([["O"]], [["O", "O"]], "same number of tags"),
        ([["O"], ["O"]], [["O"]], "same number of tags"),
        ([["O"], ["O", "O"]], [["O", "O"], ["O"]], "same number of tags"),
        ([], [], "no tags"),
        ([[]], [[]], "no tags"),
    ],
)
def test_invalid_tags_are_refused(gold, predicted, problem, spans):
    with pytest.raises(ValueError, match=problem):
        score(gold, predicted, spans)


def test_the_metric_names_its_libraries():
    assert "seqeval 1." in metric(spans=True)
    assert "scikit-learn 1." in metric(spans=False)


def test_seen_and_unseen_words():
    words, gold = [["a", "b"], ["c", "a", "d"]], [["X", "Y"], ["X", "X", "Y"]]
    predicted = [["X", "X"], ["X", "Y", "X"]]  # right: the first a, and c
    assert seen_and_unseen(words, gold, predicted, ["a", "b"]) == pytest.approx(
        {"seen_accuracy": 100 / 3, "unseen_accuracy": 50.0, "unseen_share": 40.0}
    )
    assert seen_and_unseen(words, gold, predicted, {"a", "b", "c", "d"}) == pytest.approx(
        {"seen_accuracy": 40.0, "unseen_share": 0.0}
    )


def test_confusions():
    words = [["that", "that", "like", "so"], ["that", "well", "well", "run"]]
    gold = [["SCONJ", "SCONJ", "ADP", "ADV"], ["SCONJ", "INTJ", "INTJ", "VERB"]]
    predicted = [["PRON", "PRON", "SCONJ", "ADV"], ["DET", "ADV", "ADV", "NOUN"]]
    assert confusions(words, gold, predicted, n=4).splitlines() == [
        "gold   predicted  count  share  words",
        "INTJ   ADV            2  28.57  well",
        "SCONJ  PRON           2  28.57  that",
        "ADP    SCONJ          1  14.29  like",
        "SCONJ  DET            1  14.29  that",
    ]


def test_a_confusion_lists_its_most_frequent_words():
    words = [["a", "b", "b", "c", "c", "c", "d", "d"]]
    row = confusions(words, [["X"] * 8], [["Y"] * 8]).splitlines()[1]
    assert row.split() == ["X", "Y", "8", "100.00", "c,", "b,", "d"]


def test_no_confusions():
    assert confusions([["a"]], [["X"]], [["X"]]) == "no errors"


def test_words_with_the_same_characters_are_aligned():
    assert align(["We", "don't", "."], ["We", "do", "n't", "."]) == [(0, 0), (2, 3)]
    # The same letters elsewhere are not the same characters.
    assert align(["a", "aa"], ["aa", "a"]) == []
    assert align(["New York", "is"], ["New", "York", "is"]) == [(1, 2)]
    assert align([], []) == []


@given(st.text("ab", max_size=12), st.sets(st.integers(1, 11)), st.sets(st.integers(1, 11)))
def test_aligned_words_are_those_that_both_tokenizations_share(text, gold_cuts, system_cuts):
    def split(cuts):
        cuts = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
        return [(begin, end) for begin, end in pairwise(cuts) if begin < end]

    gold, system = split(gold_cuts), split(system_cuts)
    pairs = align([text[slice(*s)] for s in gold], [text[slice(*s)] for s in system])
    assert pairs == [(gold.index(s), system.index(s)) for s in gold if s in system]


def test_raw_text_by_hand():
    # 3 words and 2 of their tags are right in the first sentence, none in the second.
    gold = [(["I", "can", "not", "go"], ["PRON", "AUX", "PART", "VERB"]), (["Hm."], ["INTJ"])]
    system = [
        (["I", "can", "no", "t", "go"], ["PRON", "VERB", "X", "X", "VERB"]),
        (["Hm", "."], ["INTJ", "PUNCT"]),
    ]
    assert raw_text_score(gold, system) == pytest.approx(
        {"token_f1": 200 * 3 / (5 + 7), "tag_f1": 200 * 2 / (5 + 7)}
    )
    assert raw_text_score(gold, gold) == {"token_f1": 100.0, "tag_f1": 100.0}
    assert raw_text_score([([], [])], [([], [])]) == {"token_f1": 0.0, "tag_f1": 0.0}


def test_raw_text_with_changed_characters_is_refused():
    gold = [(["a"], ["X"]), (["don’t"], ["X"])]
    with pytest.raises(ValueError, match="sentence 2: not the same characters: 'don’t'"):
        raw_text_score(gold, [(["a"], ["X"]), (["don't"], ["X"])])
    with pytest.raises(ValueError):
        raw_text_score(gold, gold[:1])


def test_baselines_by_hand():
    sentences = [
        Sentence(["the", "lord", "said"], ["?"] * 3),
        Sentence(["israel", "new"], ["?"] * 2),
        Sentence(["lord"], ["?"]),
    ]
    guesses = baselines(TRAIN, sentences, restores=True)
    assert guesses == {
        "majority tag": [["lower"] * 3, ["lower"] * 2, ["lower"]],
        "most frequent tag of the word": [
            ["lower", "UPPER", "lower,"],
            ["Title.", "lower"],
            ["UPPER"],
        ],
        "capital first, full stop last": [
            ["Title", "UPPER", "lower."],
            ["Title", "lower."],
            ["UPPER."],
        ],
    }
    assert list(baselines(TRAIN, sentences, restores=False)) == [
        "majority tag",
        "most frequent tag of the word",
    ]
