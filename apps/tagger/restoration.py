"""Capitals and punctuation as tags, so that a tagger can restore them.

A tag is the case of a word and the mark that follows it: `lower`, `Title,`, `UPPER.`
"""

import re
from collections.abc import Sequence

CASES = ("lower", "Title", "UPPER")
MARKS = ("", ",", ".", ";", ":", "?", "!")

# One pattern for Python and for RE2, the engine of TensorFlow's string operations: letters and
# digits, joined by hyphens or apostrophes, and the apostrophe of a possessive.
_ALNUM = r"[\p{L}\p{N}]"
WORD_RE2 = rf"{_ALNUM}+(?:[’-]+{_ALNUM}+)*’?"
_WORD = WORD_RE2.replace(_ALNUM, r"[^\W_]")
# A mark belongs to the word before it.
_WORD_AND_MARK = re.compile(rf"({_WORD})[^\w,.;:?!]*([,.;:?!]?)")


def annotate(text: str) -> tuple[list[str], list[str]]:
    """Split a text into bare lower-case words and the tags that restore it.

    The tags don't restore characters that are neither part of a word nor one of the marks `, . ; :
    ? !` (brackets, dashes, quotation marks, a second mark in a row), capitals inside a word, or the
    difference between ' and ’.

    Returns:
        Words, and a tag for each.

    Example:
        >>> annotate("And the LORD said, Go!")
        (['and', 'the', 'lord', 'said', 'go'], ['Title', 'lower', 'UPPER', 'lower,', 'Title!'])
    """
    pairs = _WORD_AND_MARK.findall(text.replace("'", "’"))
    return [word.lower() for word, _ in pairs], [_case(word) + mark for word, mark in pairs]


def restore(words: Sequence[str], tags: Sequence[str]) -> str:
    """Join words into a text with the capitals and the punctuation of the tags.

    Example:
        >>> restore(["the", "lord’s", "house"], ["Title", "UPPER", "lower."])
        'The LORD’s house.'
    """
    return " ".join(map(_restore_word, words, tags))


def split_tag(tag: str) -> tuple[str, str]:
    """Split a tag into its case and its mark.

    Example:
        >>> split_tag("Title,")
        ('Title', ',')
    """
    case = tag.rstrip("".join(MARKS))
    return case, tag[len(case) :]


def _case(word: str) -> str:
    letters = re.sub(r"’s?$", "", word)  # the possessive of a word in capitals: LORD’s
    if letters.isupper() and sum(map(str.isalpha, letters)) > 1:
        return "UPPER"
    return "Title" if word[0].isupper() else "lower"


def _restore_word(word: str, tag: str) -> str:
    case, mark = split_tag(tag)
    if case == "UPPER":
        word = re.sub("’S$", "’s", word.upper())
    elif case == "Title":
        word = word[:1].upper() + word[1:]
    return word + mark
