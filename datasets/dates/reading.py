"""Dates as people write them in two dozen locales, and in ISO 8601: 2014-03-07.

Nothing is downloaded: month names, weekday names and patterns are from Babel's Unicode locale data.
"""

import datetime
import functools
import re
from typing import NamedTuple

from datasets.formats.lines import DataError
from datasets.formats.pairs import Pair
from datasets.splits import Split, uniform_source

LOCALES = (
    *("en", "en_GB", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "fi", "pl", "cs", "hu"),
    *("tr", "ro", "id", "vi", "ru", "uk", "el", "ja", "ko", "zh"),
)
# Further patterns in Unicode's notation, extended by `do` for an ordinal: 1st, 2nd.
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
HELD_OUT = 0.1  # share of the dates, and of the formats, in dev; the same share is in test
SPLIT_SEED = 1582
DRAWS = {"train": (50_000, 1), "dev": (2_000, 2), "test": (2_000, 3)}  # count and seed


class Format(NamedTuple):
    """A way to write a date."""

    locale: str
    pattern: str  # in Unicode's notation, extended by `do`


def read_dates(split: Split) -> list[Pair]:
    """Draw the fixed pairs of a split: 50,000 in train, 2,000 each in dev and test.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        The pairs, see `draw_pairs`.

    Raises:
        DataError: If the package Babel is missing.
    """
    return draw_pairs(split, *DRAWS[split])


def draw_pairs(split: Split, count: int, seed: int) -> list[Pair]:
    """Draw dates as they are written in many locales, paired with ISO 8601.

    Each pair draws a format, such as `Friday, March 7, 2014`, a date from 1950 to 2049, and a case:
    that of the locale, lower or upper case. The written date is unambiguous for any reader: if its
    numbers could be day and month in two orders, or two digits could be a day or a year (from 1950
    to 2049), another date is drawn.

    A tenth of the dates is held out for dev and a tenth for test, by a fixed seed, as are the same
    shares of the formats (two formats that write all dates alike count as one). The dates of dev
    and test never occur in train. Their pairs 0, 2, 4, ... use formats of train; pairs 1, 3, 5, ...
    use formats that never occur in train, though train has the same month names in other formats.

    Args:
        split: `train`, `dev` or `test`.
        count: Number of pairs; a pair may occur twice.
        seed: Seed of the draws.

    Returns:
        The pairs, written date first; the same on every machine with the same version of Babel.

    Raises:
        DataError: If there is no such split, or if the package Babel is missing.

    Example:
        >>> [pair] = draw_pairs("train", count=1, seed=1)
        >>> len(pair.target)
        10
    """
    dates, formats = dates_of(split), {name: formats_of(name) for name in ("train", split)}
    draw = uniform_source(seed)

    def choose(choices: list | tuple) -> object:
        return choices[int(draw() * len(choices))]

    pairs = []
    for index in range(count):
        date_format = choose(formats[split if index % 2 else "train"])
        date = choose(dates)
        while not is_unambiguous(date_format.pattern, date):
            date = choose(dates)
        case = choose((str, str, str, str, str.lower, str.upper))
        pairs.append(Pair(case(write(date_format, date)), date.isoformat()))
    return pairs


def write(date_format: Format, date: datetime.date) -> str:
    """Write a date in a format.

    Example:
        >>> write(Format("en", "'the' do 'of' MMMM, y"), datetime.date(2014, 3, 2))
        'the 2nd of March, 2014'
    """
    locale, pattern = _locale(date_format.locale), date_format.pattern
    if "do" in pattern:
        suffix = ORDINALS[date_format.locale][locale.ordinal_form(date.day)]
        pattern = pattern.replace("do", f"d'{suffix}'" if suffix else "d")
    return " ".join(_parsed(pattern).apply(date, locale).split())


def is_unambiguous(pattern: str, date: datetime.date) -> bool:
    """Return whether a date, written in a pattern, can be read in only one way.

    Example:
        >>> is_unambiguous("d/M/y", datetime.date(2014, 3, 7))  # or is it the third of July?
        False
        >>> is_unambiguous("d/M/y", datetime.date(2014, 3, 25)), is_unambiguous("y/M/d", FIRST)
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
    """Return the dates of a split.

    Raises:
        DataError: If there is no such split.
    """
    days = range((LAST - FIRST).days + 1)
    return _part([FIRST + datetime.timedelta(day) for day in days], split)


@functools.cache
def formats_of(split: Split) -> list[Format]:
    """Return the formats of a split.

    Raises:
        DataError: If there is no such split, or if the package Babel is missing.
    """
    # Formats are the same if they write these days alike: they cover all months, all weekdays, and
    # days of one and two digits.
    days = [datetime.date(1987, 1, 1) + datetime.timedelta(13 * step) for step in range(28)]
    formats = {}
    for name in LOCALES:
        for pattern in _patterns(name):
            date_format = Format(name, pattern)
            key = tuple(write(date_format, day).casefold() for day in days)
            formats.setdefault(key, date_format)
    return _part(list(formats.values()), split)


def _part(items: list, split: Split) -> list:
    """Return the items of a split; a fixed random draw assigns each item."""
    bounds = {"dev": (0, HELD_OUT), "test": (HELD_OUT, 2 * HELD_OUT), "train": (2 * HELD_OUT, 1)}
    if split not in bounds:
        raise DataError(f"no split {split!r} of the dates; choose train, dev or test")
    low, high = bounds[split]
    draw = uniform_source(SPLIT_SEED)
    return [item for item in items if low <= draw() < high]


def _patterns(name: str) -> list[str]:
    """Return the patterns of a locale that have exactly one day, month and year."""
    locale = _locale(name)
    own = [*locale.date_formats.values(), *locale.datetime_skeletons.values()]
    patterns = [getattr(pattern, "pattern", pattern) for pattern in own]
    patterns += EVERYWHERE if name not in NOT_IN else ()
    patterns += FURTHER.get(name, ())
    # Letters outside quotes are fields: E and c are weekdays, others are hours, weeks, eras.
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
