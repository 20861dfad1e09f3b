"""Written dates are unambiguous, and held-out dates and formats never occur in train."""

import contextlib
import datetime
import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.dates.reading import (
    LOCALES,
    Format,
    dates_of,
    draw_pairs,
    formats_of,
    is_unambiguous,
    write,
)
from datasets.formats.lines import DataError

SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def drawn():
    return {split: draw_pairs(split, count=3000, seed=7) for split in SPLITS}


def readings(numbers):
    """Return the possible dates of three numbers in the usual orders."""
    dates = set()
    for order in ("ymd", "dmy", "mdy"):
        field = dict(zip(order, numbers, strict=True))
        year = int(field["y"])
        if len(field["y"]) == 2:
            year += 1900 if year >= 50 else 2000
        if len(field["y"]) in (2, 4) and len(field["m"]) < 3 and len(field["d"]) < 3:
            with contextlib.suppress(ValueError):
                dates.add(datetime.date(year, int(field["m"]), int(field["d"])).isoformat())
    return dates


def test_numeric_dates_are_unambiguous(drawn):
    numeric = 0
    for source, target in itertools.chain(*drawn.values()):
        numbers = re.findall(r"\d+", source)
        if len(numbers) == 3 and "'" not in source:
            numeric += 1
            # Month names with a number (Vietnamese) and year signs determine the order.
            assert readings(numbers) == {target} or re.search("thg|tháng|年|년", source.lower())
    assert numeric > 1000


def test_no_text_has_two_dates(drawn):
    dates = {}
    for source, target in itertools.chain(*drawn.values()):
        assert dates.setdefault(source.casefold(), target) == target


def test_no_month_name_means_another_month_in_another_locale():
    from babel import Locale

    months = {}
    for locale in map(Locale.parse, LOCALES):
        for width in ("wide", "abbreviated"):
            for month, name in locale.months["format"][width].items():
                assert months.setdefault(name.casefold().rstrip("."), month) == month


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)))
def test_unambiguous_orders_are_recognized(date):
    numbers = [write(Format("en", pattern), date) for pattern in ("d/M/y", "M/d/y")]
    unique = len(readings(numbers[0].split("/"))) == 1
    assert is_unambiguous("d/M/y", date) == is_unambiguous("M/d/y", date) == unique
    assert is_unambiguous("y/M/d", date) and is_unambiguous("d MMM y", date)
    short = readings(write(Format("en", "d/M/yy"), date).split("/"))
    assert len(short) == 1 or not is_unambiguous("d/M/yy", date)


def test_dates_and_formats_are_held_out(drawn):
    for one, other in itertools.combinations(SPLITS, 2):
        assert not set(dates_of(one)) & set(dates_of(other))
        assert not set(formats_of(one)) & set(formats_of(other))
        assert not {p.target for p in drawn[one]} & {p.target for p in drawn[other]}
    assert sum(len(dates_of(split)) for split in SPLITS) == 36_525  # the days of 100 years
    for split in ("dev", "test"):
        assert len(dates_of(split)) > 3000 and len(formats_of(split)) > 20


def test_every_other_test_pair_uses_a_format_of_train():
    formats = {split: formats_of(split) for split in SPLITS}
    for index, (source, target) in enumerate(draw_pairs("test", count=60, seed=3)):
        date = datetime.date.fromisoformat(target)
        written = {
            write(date_format, date).casefold()
            for date_format in formats["test" if index % 2 else "train"]
        }
        assert source.casefold() in written


def test_train_has_the_month_names_of_the_held_out_formats():
    def names(split):
        return {
            (date_format.locale, width)
            for date_format in formats_of(split)
            for width in re.findall("MMMM?", date_format.pattern)
        }

    assert names("dev") | names("test") <= names("train")


def test_the_draw_is_fixed(drawn):
    assert drawn["dev"] == draw_pairs("dev", count=3000, seed=7)
    assert drawn["dev"] != draw_pairs("dev", count=3000, seed=8)
    assert draw_pairs("train", count=4, seed=1) == [
        ("01 sept 2034", "2034-09-01"),
        ("mar, 3 de agosto de 1999", "1999-08-03"),
        ("24 Eki 2028", "2028-10-24"),
        ("Tue, 6/14/2033", "2033-06-14"),
    ]


def test_texts_have_normal_white_space_and_no_control_characters(drawn):
    for source, target in itertools.chain(*drawn.values()):
        assert source == " ".join(source.split()) and len(source) < 60
        assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in source)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", target)


def test_an_unknown_split_is_refused():
    with pytest.raises(DataError, match="no split 'validation' of the dates; choose train, dev"):
        draw_pairs("validation", count=1, seed=1)
