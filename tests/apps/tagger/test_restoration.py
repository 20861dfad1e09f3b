import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tagger.restoration import CASES, MARKS, annotate, restore, split_tag
from datasets.king_james.reading import verses


@pytest.mark.parametrize(
    ("text", "words", "tags"),
    [
        ("I AM that I am.", "i am that i am", "Title UPPER lower Title lower."),
        ("the LORD’s house", "the lord’s house", "lower UPPER lower"),
        ("Beth-el, Abel-beth-maachah;", "beth-el abel-beth-maachah", "Title, Title;"),
        ("'Tis the sons' (sin—;", "tis the sons’ sin", "Title lower lower lower;"),
        ("what?! -- 7 men:", "what 7 men", "lower? lower lower:"),
        ("", "", ""),
        (" ,.- ’ ", "", ""),
    ],
)
def test_words_and_tags(text, words, tags):
    assert annotate(text) == (words.split(), tags.split())


def test_restoring_the_tags_returns_the_text():
    """Except for brackets, a dash, a stray space, and two names with a capital inside."""
    train = verses("train")
    changed = [verse for verse in train if restore(*annotate(verse)) != verse]
    assert len(changed) < 0.01 * len(train)
    odd = ["El-elohe-Israel", "Meribah-Kadesh", "God- ward"]
    others = [verse for verse in changed if not re.search("[()—]", verse)]
    assert [name for verse in others for name in odd if name in verse] == odd
    assert len(others) == 3


@given(st.text(alphabet="aBcÉ7'’-,.;:?! ()\n", max_size=40))
def test_a_restored_text_is_a_fixed_point(text):
    words, tags = annotate(text)
    assert len(words) == len(tags)
    assert all(split_tag(tag)[0] in CASES and split_tag(tag)[1] in MARKS for tag in tags)
    assert annotate(restore(words, tags)) == (words, tags)
