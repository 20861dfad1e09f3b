"""Each data set has a card, which agrees with its citations."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest

import datasets
from datasets.card import Card, load_card
from datasets.formats.lines import DataError

ROOT = Path(datasets.__file__).parent
READERS = {path.parent.name for path in ROOT.glob("*/reading.py")} | {"algorithmic"}
NAMES = sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - {"formats"})


def test_each_folder_except_formats_is_a_data_set():
    assert set(NAMES) == READERS


@pytest.mark.parametrize("name", NAMES)
def test_each_data_set_has_a_complete_one_line_card(name):
    card = load_card(name)
    assert isinstance(card, Card)
    for field, value in asdict(card).items():
        assert value is not None and value != "", field
        assert "\n" not in str(value), field
    assert "https://" in card.data
    assert card.releasable == ("research only" not in card.model_licence)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if (ROOT / name / "CITATIONS.bib").exists()]
)
def test_cards_agree_with_their_citations(name):
    entry = (ROOT / name / "CITATIONS.bib").read_text().split("\n}")[0]
    entry = re.sub(r"[{}]", "", entry)
    fields = dict(re.findall(r'^  (\w+) = "?(.*?)"?,$', entry, re.MULTILINE))
    citation = load_card(name).citation
    assert fields["author"].split(" and ")[0].split(",")[0] in citation
    assert fields["title"] in citation
    assert fields.get("year", "") in citation


@pytest.mark.parametrize("name", ["imdb", "formats", "splits"])
def test_a_missing_card_is_refused(name):
    with pytest.raises(DataError, match=f"no card for a data set '{name}'"):
        load_card(name)
