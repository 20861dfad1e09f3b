r"""Splitting of raw text into words, inside the graph.

The rules follow EWT, the English treebank of Universal Dependencies. They are core TensorFlow
string operations, so an export of them runs wherever TensorFlow runs.

RE2, TensorFlow's regular expression engine, has no lookahead. At each position, from left to right,
a text is therefore matched by the first pattern of a list that fits, and contractions are split
afterwards. The letters of all scripts are a large and slow class: patterns for names or numbers in
ASCII use `\w`.
"""

import tensorflow as tf

from apps.common.text import valid_utf8

# Unicode white space, the separators of Python's split, zero-width space and byte order mark.
SPACE = r"[\s\v\x{1c}-\x{1f}\x{85}\p{Z}\x{200b}\x{feff}]+"

# Letters, accents, digits, and the soft hyphens and joiners inside words.
_LETTER = r"[\pL\pM\pN\x{ad}\x{200c}\x{200d}]"

_TITLES = (
    "Mrs?|Ms|Drs?|St|Jr|Sr|Prof|Gen|Col|Lt|Capt|Sgt|Rev|Govs?|Sens?|Reps?|Inc|Corp|Co|Ltd|Ft|"
    "Blvd|Ave|Ph|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thurs?|Fri|Sat"
)
_ABBREVIATIONS = "al|attn|dept|esp|etc|ext|lbs?|oz|vol|vs|yrs"
_PREFIXES = (
    "anti|co|counter|cross|e|ex|inter|intra|micro|mid|multi|neo|non|over|post|pre|pro|re|semi|"
    "socio|sub|ultra|un"
)
_ENDINGS = (
    "com|edu|gov|net|org|uk|csv|doc|docx|exe|gif|htm|html|jpeg|jpg|json|mp3|mp4|pdf|php|png|ppt|"
    "pptx|py|txt|xls|xlsx|xml|zip"
)
_CLITICS = "d|em|ll|m|re|s|ve"


def _cases(words: str) -> str:
    # Not (?i): it admits letters like the long s, after which RE2 finds no end of a word (\b).
    cases = (str.lower, str.title, str.upper)
    return "|".join(case(word) for word in words.split("|") for case in cases)


_CLITIC = f"['’`´](?:{_cases(_CLITICS)})"

# Patterns of a word; the first match wins. Where a match may fail late, repetition is bounded, to
# keep the time linear.
_WORDS = (
    rf"(?i:[a-z][a-z0-9+.-]{{1,15}}://|mailto:|www\.)[^\s<>\"]*(?:{_LETTER}+|[_/#=])",  # URL
    r"\w[\w.%+-]{0,63}@[\w-]+(?:\.\w+)*",  # e-mail
    rf"(?:[\w#~-]{{1,40}}\.){{0,4}}[\w#~-]{{0,40}}\.(?:{_cases(_ENDINGS)})\b",  # host, file
    r"[A-Za-z][A-Za-z0-9]+(?:\.\w{2,}){2,}",  # newsgroup
    r"(?:[A-Za-z]\.)+[A-Za-z]\b\.?|[A-HJ-Z]\.",  # initials
    rf"(?:{_TITLES}|(?i:{_ABBREVIATIONS}))\.",  # abbreviation
    rf"(?i:{_PREFIXES})-{_LETTER}+",  # prefix
    r"\d+(?:[.,:/]\d+)*(?:['’]?s|(?i:st|nd|rd|th)|[A-JLN-Z])\b",  # ordinal, decade, code
    r"\d+(?:[/-]\d+){2,}|\d{3}-\d{4}|\d{5}-\d{4}",  # date, telephone, ZIP
    r"\d+(?:[.,:/]\d+)*|['’]\d\ds?\b",  # number, time, year
    r"[A-Za-z]{1,3}&[A-Za-z]\b|[A-Za-z]/[A-Za-z]\b",  # R&D, w/o
    rf"{_CLITIC}\b",  # clitic
    rf"{_LETTER}+(?:_{_LETTER}+)*(?:['’`´]{_LETTER}+)?",  # word
    r"[:;=]['-]?(?:[()|*]+\B|[DOPop]\b)|\(:\B|\^_+\^",  # smiley
    r"[.!?]+|\$+|[-=*~_+|<>#]{2,}|''|’’|‘’",  # repeated sign
    r"[^ ](?:[\pM\x{1f3fb}-\x{1f3ff}]|\x{200d}[^ ])*",  # sign, emoji
)

# Two words written as one, without the apostrophe.
_FUSED = (
    ("ai|are?|ca|could|did|do|does|had|has|have|is|should|was|were|wo|would", "nt"),
    ("he|here|let|she|that|there|what|where", "s"),
    ("they|you", "ll|re|ve"),
    ("i", "m|ve"),
    ("can", "not"),
    ("gon|wan", "na"),
    ("got|out", "ta"),
    ("a", "lot"),
)

_RULES = (
    (SPACE, " "),
    # An ellipsis (not in abbre...@example.org) and the final full stop are separate words.
    (r"(\pL)(\.{2,}(?:[^.@]|$)|\.['’\"”)\]]* ?$)", r"\1 \2"),
    ("|".join(_WORDS), r" \0 "),
    (rf" (\pL{_LETTER}*)([nN]['’`´][tT]|{_CLITIC}) ", r" \1 \2 "),
    *((rf"(?i) ({first})({second}) ", r" \1 \2 ") for first, second in _FUSED),
)


def tokenize(text: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into words, numbers and punctuation marks.

    The concatenated words of a text are the text without its white space (`SPACE`). Words joined by
    spaces are split into the same words again.

    Args:
        text: UTF-8 strings (batch,); bytes that are not UTF-8 are read as U+FFFD.

    Returns:
        The words (batch, ragged length).

    Example:
        >>> words = tokenize(tf.constant(["Don't pay Mr. Po $5 (or 4%) by 5pm...", ""]))
        >>> [b" ".join(row).decode() for row in words.to_list()]
        ["Do n't pay Mr. Po $ 5 ( or 4 % ) by 5 pm ...", '']
    """
    text = valid_utf8(text)
    for pattern, replacement in _RULES:
        text = tf.strings.regex_replace(text, pattern, replacement)
    return tf.strings.split(text)
