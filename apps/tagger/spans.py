"""Tags that mark spans, such as chunks or names: their schemes, and conversions.

    word     Ada   Lovelace  met  Charles  Babbage  in  London
    BIO      B-PER I-PER     O    B-PER    I-PER    O   B-LOC
    IOBES    B-PER E-PER     O    B-PER    E-PER    O   S-LOC

BIO is read as conlleval and seqeval read it: an `I-X` that follows no `X` begins a span. IOB1,
which writes `B-` only where two spans of a class touch, is therefore read correctly as BIO.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Literal

from apps.common.errors import UserError

Scheme = Literal["BIO", "IOBES"]

# Not `S----3MS1-`: some treebanks have such tags, which are not spans.
_SPAN_TAG = re.compile(r"[BIES]-[^-].*", re.DOTALL)
_BIO_PREFIX = {"S": "B", "E": "I"}


def is_span_tag(tag: str) -> bool:
    """Return whether a tag is `B-`, `I-`, `E-` or `S-` followed by a class.

    Example:
        >>> is_span_tag("B-NP"), is_span_tag("O"), is_span_tag("NOUN")
        (True, False, False)
    """
    return _SPAN_TAG.fullmatch(tag) is not None


def scheme_of(tags: Iterable[Sequence[str]]) -> Scheme | None:
    """Detect which span scheme a corpus uses.

    `E-` and `S-` tags make it IOBES, which must then be well-formed throughout. `B-` and `I-` alone
    make it BIO, where every sequence is valid.

    Args:
        tags: Tags of each sentence.

    Returns:
        The scheme, or None for plain tags.

    Raises:
        UserError: If schemes are mixed, or span tags are mixed with plain tags.

    Example:
        >>> scheme_of([["B-NP", "I-NP", "O"], ["O", "I-NP"]])
        'BIO'
        >>> scheme_of([["B-NP", "E-NP", "O"]])
        'IOBES'
        >>> scheme_of([["DET", "NOUN"]]) is None
        True
    """
    sentences = list(tags)
    counts = Counter(chain.from_iterable(sentences))
    span_tags = {tag for tag in counts if is_span_tag(tag)}
    plain_tags = counts.keys() - span_tags - {"O"}
    if not span_tags:
        return None
    if plain_tags:
        # The rarer kind is assumed to be the mistake.
        rare = min(plain_tags, span_tags, key=lambda kind: sum(counts[tag] for tag in kind))
        number, index = _find(sentences, rare)
        raise UserError(
            f"sentence {number}: span tags and plain tags are mixed, in "
            f"{_around(sentences[number - 1], index)}; tag every word with O "
            "or a span tag (B-, I-, E-, S-), and use no plain tags that look like span tags"
        )
    if not any(tag[0] in "ES" for tag in span_tags):
        return "BIO"
    for number, sentence in enumerate(sentences, start=1):
        for index, (before, after) in enumerate(pairwise(["O", *sentence, "O"])):
            if not _is_iobes(before, after):
                witness, _ = _find(sentences, {tag for tag in span_tags if tag[0] in "ES"})
                raise UserError(
                    f"sentence {number}: span schemes are mixed: sentence {witness} is in "
                    f"IOBES, but {_around(sentence, index)} is not; use IOBES throughout, or "
                    "neither E- nor S-"
                )
    return "IOBES"


def to_iobes(tags: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Convert the tags of a sentence to IOBES.

    Args:
        tags: Tags of a sentence.
        scheme: Their scheme, from `scheme_of`; IOBES and plain tags (None) stay as they are.

    Returns:
        The converted tags.

    Example:
        >>> to_iobes(["B-PER", "I-PER", "O", "B-LOC"], "BIO")
        ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    if scheme != "BIO":
        return list(tags)
    padded = ["O", *tags, "O"]
    return [_iobes(*three) for three in zip(padded, tags, padded[2:], strict=False)]


def from_iobes(tags: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Convert the tags of a sentence from IOBES to the user's scheme.

    `from_iobes(to_iobes(tags, scheme), scheme)` returns IOB1 as BIO, and the rest unchanged.

    Args:
        tags: Tags of a sentence, in IOBES or plain.
        scheme: The user's scheme, from `scheme_of`.

    Returns:
        The converted tags.

    Example:
        >>> from_iobes(["B-PER", "E-PER", "O", "S-LOC"], "BIO")
        ['B-PER', 'I-PER', 'O', 'B-LOC']
    """
    return [of_iobes(tag, scheme) for tag in tags]


def of_iobes(tag: str, scheme: Scheme | None) -> str:
    """Convert an IOBES tag to the user's scheme; in BIO two tags may have the same name.

    Example:
        >>> of_iobes("S-LOC", "BIO"), of_iobes("S-LOC", "IOBES")
        ('B-LOC', 'S-LOC')
    """
    return _BIO_PREFIX.get(tag[0], tag[0]) + tag[1:] if scheme == "BIO" else tag


def _iobes(before: str, tag: str, after: str) -> str:
    """Convert a BIO tag to IOBES, given its neighbors."""
    if tag == "O":
        return tag
    begins = tag[0] == "B" or before[2:] != tag[2:]
    ends = after != f"I-{tag[2:]}"
    return ("S" if ends else "B") + tag[1:] if begins else ("E" if ends else "I") + tag[1:]


def _is_iobes(before: str, after: str) -> bool:
    """Return whether one IOBES tag may follow another: only an open span continues."""
    is_open, continues = before[0] in "BI", after[0] in "IE"
    return is_open == continues and (not is_open or before[2:] == after[2:])


def _find(sentences: list[Sequence[str]], wanted: set[str]) -> tuple[int, int]:
    """Return the number, from 1, of the first sentence with a wanted tag, and the tag's index."""
    return next(
        (number, index)
        for number, sentence in enumerate(sentences, start=1)
        for index, tag in enumerate(sentence)
        if tag in wanted
    )


def _around(sentence: Sequence[str], index: int) -> str:
    """Format the tags around an index, for a message."""
    begin, end = max(0, index - 2), index + 2
    dots = ("... " * (begin > 0), " ..." * (end < len(sentence)))
    return f"'{dots[0]}{' '.join(sentence[begin:end])}{dots[1]}'"
