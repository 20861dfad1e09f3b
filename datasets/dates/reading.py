"""Dates as people write them in two dozen locales, and as ISO 8601 writes them: 2014-03-07.

Nothing is downloaded: months, weekdays and patterns are those of Babel's Unicode locale data.
"""

import datetime
import functools
import random
import re
from typing import Literal, NamedTuple

from datasets.formats.lines import DataError
from datasets.formats.pairs import Pair

Split = Literal["train", "dev", "test"]

LOCALES = (
    *("en", "en_GB", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "fi", "pl", "cs", "hu"),
    *("tr", "ro", "id", "vi", "ru", "uk", "el", "ja", "ko", "zh"),
)
# Further patterns, in Unicode's notation, where `do` stands for an ordinal: 1st, 2nd.
EVERYWHERE = ("dd MMM y", "d-MMM-y", "d MMM ''yy", "MMMM d, y", "y MMMM d", "EEEE d MMMM y")
NOT_IN = ("ja", "ko", "zh")
FURTHER = {
    "en": (
        *("MMMM do, y", "do 'of' MMMM y", "'the' do 'of' MMMM, y", "EEEE, MMMM do, y"),
        *("MMM do, ''yy", "MMMM d ''yy", "MM/dd/yy", "y/MM/dd", "y.MM.dd", "yMMdd"),
    ),
    "fr": ("do MMMM y", "EEEE do MMMM y", "'le' do MMMM y"),
}
ORDINALS = {
    "en": {"one": "st", "two": "nd", "few": "rd", "other": "th"},
    "fr": {"one": "er", "other": ""},
}
FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
HELD_OUT = 0.1  # of the dates, and of the formats, for dev; as many for test
SPLIT_SEED = 1582


class Format(NamedTuple):
    """A way to write a date."""

    locale: str
    pattern: str  # in Unicode's notation, and `do`


def date_pairs(split: Split, count: int, seed: int) -> list[Pair]:
    """Write dates in the ways of many locales, beside ISO 8601.

    A format, as `Friday, March 7, 2014`, is drawn, a date from 1950 to 2049, and a case: as the
    locale has it, or all small or capital letters. What is written determines the date, whoever
    reads it: where numbers alone could be day and month in two ways, or two digits a day or a year
    (which is from 1950 to 2049), another date is drawn.

    Held out of train, by a fixed seed: a tenth of the dates for dev, a tenth for test; and as
    large parts of the formats (two that write alike are one). The dates of dev and test are never
    in train. Of their pairs 0, 2, 4, ... are in formats of train; 1, 3, 5, ... are in formats that
    train never shows, though it shows the names of their months in other ones.

    Args:
        split: `train`, `dev` or `test`.
        count: of pairs; a pair may come twice.
        seed: of what is drawn.

    Returns:
        The pairs, written date first; the same on every machine with the same Babel.

    Raises:
        DataError: there is no such split, or the package Babel is missing.

    Example:
        >>> [pair] = date_pairs("train", count=1, seed=1)
        >>> len(pair.target)
        10
    """
    dates, formats = dates_of(split), {name: formats_of(name) for name in ("train", split)}
    # Of `random`, `random()` alone is promised to draw the same in every version of Python.
    draw = random.Random(seed).random

    def choose(choices: list | tuple) -> object:
        return choices[int(draw() * len(choices))]

    pairs = []
    for index in range(count):
        form = choose(formats[split if index % 2 else "train"])
        date = choose(dates)
        while not determines(form.pattern, date):
            date = choose(dates)
        case = choose((str, str, str, str, str.lower, str.upper))
        pairs.append(Pair(case(write(form, date)), date.isoformat()))
    return pairs


def write(form: Format, date: datetime.date) -> str:
    """Write a date in a format.

    Example:
        >>> write(Format("en", "'the' do 'of' MMMM, y"), datetime.date(2014, 3, 2))
        'the 2nd of March, 2014'
    """
    locale, pattern = _locale(form.locale), form.pattern
    if "do" in pattern:
        suffix = ORDINALS[form.locale][locale.ordinal_form(date.day)]
        pattern = pattern.replace("do", f"d'{suffix}'" if suffix else "d")
    return " ".join(_parsed(pattern).apply(date, locale).split())


def determines(pattern: str, date: datetime.date) -> bool:
    """Tell whether what a pattern writes for a date can be read in one way only.

    Example:
        >>> determines("d/M/y", datetime.date(2014, 3, 7))  # or is it the third of July?
        False
        >>> determines("d/M/y", datetime.date(2014, 3, 25)), determines("y/M/d", FIRST)
        (True, True)
    """
    fields = re.sub(r"'[^']*'", "", pattern)
    if "yy" in fields and "''yy" not in pattern and date.year % 100 <= 31:
        return False  # the year may be a day
    if "MMM" in fields or fields.index("y") < fields.index("d"):
        return True
    return date.day > 12 or date.day == date.month


@functools.cache
def dates_of(split: Split) -> list[datetime.date]:
    """The dates of a split.

    Raises:
        DataError: there is no such split.
    """
    days = range((LAST - FIRST).days + 1)
    return _part([FIRST + datetime.timedelta(day) for day in days], split)


@functools.cache
def formats_of(split: Split) -> list[Format]:
    """The formats of a split.

    Raises:
        DataError: there is no such split, or the package Babel is missing.
    """
    # By what they write on days that show all months, weekdays, and days of one and two digits.
    days = [datetime.date(1987, 1, 1) + datetime.timedelta(13 * step) for step in range(28)]
    formats = {}
    for name in LOCALES:
        for pattern in _patterns(name):
            form = Format(name, pattern)
            formats.setdefault(tuple(write(form, day).casefold() for day in days), form)
    return _part(list(formats.values()), split)


def _part(items: list, split: Split) -> list:
    bounds = {"dev": (0, HELD_OUT), "test": (HELD_OUT, 2 * HELD_OUT), "train": (2 * HELD_OUT, 1)}
    if split not in bounds:
        raise DataError(f"no split {split!r} of the dates; choose train, dev or test")
    low, high = bounds[split]
    draw = random.Random(SPLIT_SEED).random
    return [item for item in items if low <= draw() < high]


def _patterns(name: str) -> list[str]:
    """The patterns of a locale that have a day, a month and a year, and its further ones."""
    locale = _locale(name)
    own = [*locale.date_formats.values(), *locale.datetime_skeletons.values()]
    patterns = [getattr(pattern, "pattern", pattern) for pattern in own]
    patterns += EVERYWHERE if name not in NOT_IN else ()
    patterns += FURTHER.get(name, ())
    # Letters outside quotes are fields: E and c weekdays, others hours, weeks, eras.
    fields = {p: set(re.findall("[A-Za-z]", re.sub(r"'[^']*'", "", p))) for p in patterns}
    return [p for p in fields if set("yMd") <= fields[p] <= set("yMdEco")]


@functools.cache
def _locale(name: str) -> object:
    try:
        from babel import Locale
    except ImportError as error:
        raise DataError(f"{error}; install the locales: pip install -e .[apps]") from None
    return Locale.parse(name)


@functools.cache
def _parsed(pattern: str) -> object:
    from babel.dates import parse_pattern

    return parse_pattern(pattern)
