"""Tags that mark spans, e.g. chunks or names: their schemes, and the way from one to the other.

    word     Ada   Lovelace  met  Charles  Babbage  in  London
    BIO      B-PER I-PER     O    B-PER    I-PER    O   B-LOC
    IOBES    B-PER E-PER     O    B-PER    E-PER    O   S-LOC

BIO is read as conlleval and seqeval read it: an `I-X` that follows no `X` begins a span. So IOB1,
which writes `B-` only where two spans of a class touch, needs no name of its own: read as BIO it
has the spans that are meant.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Literal

from apps.common.errors import UserError

Scheme = Literal["BIO", "IOBES"]

# Not `S----3MS1-`: treebanks have such tags, and they are no spans.
_SPAN_TAG = re.compile(r"[BIES]-[^-].*", re.DOTALL)
_BIO_PREFIX = {"S": "B", "E": "I"}


def is_span_tag(tag: str) -> bool:
    """Tell whether a tag is `B-`, `I-`, `E-` or `S-` and a class.

    Example:
        >>> is_span_tag("B-NP"), is_span_tag("O"), is_span_tag("NOUN")
        (True, False, False)
    """
    return _SPAN_TAG.fullmatch(tag) is not None


def scheme_of(tags: Iterable[Sequence[str]]) -> Scheme | None:
    """Find out which span scheme a corpus uses.

    `E-` and `S-` tags make it IOBES, which must then be well-formed throughout. `B-` and `I-` alone
    make it BIO, where every sequence has a meaning.

    Args:
        tags: of each sentence.

    Returns:
        The scheme, or None if the tags are plain ones.

    Raises:
        UserError: schemes are mixed, or span tags and plain tags.

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
        # What there is less of is what is wrong.
        rare = min(plain_tags, span_tags, key=lambda kind: sum(counts[tag] for tag in kind))
        number, index = _find(sentences, rare)
        raise UserError(
            f"sentence {number}: span tags and plain tags are mixed, in "
            f"{_around(sentences[number - 1], index)}; give every word O or a span tag "
            "(B-, I-, E-, S-), or let no plain tag begin like one"
        )
    if not any(tag[0] in "ES" for tag in span_tags):
        return "BIO"
    for number, sentence in enumerate(sentences, start=1):
        for index, (before, after) in enumerate(pairwise(["O", *sentence, "O"])):
            if not _is_iobes(before, after):
                witness, _ = _find(sentences, {tag for tag in span_tags if tag[0] in "ES"})
                raise UserError(
                    f"sentence {number}: span schemes are mixed: sentence {witness} is IOBES, but "
                    f"not {_around(sentence, index)}; write all in IOBES, or without E- and S-"
                )
    return "IOBES"


def to_iobes(tags: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Rewrite the tags of a sentence in IOBES.

    Args:
        tags: of a sentence.
        scheme: of the tags, from `scheme_of`; IOBES and plain tags (None) stay as they are.

    Returns:
        A tag for each tag.

    Example:
        >>> to_iobes(["B-PER", "I-PER", "O", "B-LOC"], "BIO")
        ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    if scheme != "BIO":
        return list(tags)
    padded = ["O", *tags, "O"]
    return [_iobes(*three) for three in zip(padded, tags, padded[2:], strict=False)]


def from_iobes(tags: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Rewrite the tags of a sentence from IOBES in the scheme of the user.

    `from_iobes(to_iobes(tags, scheme), scheme)` gives IOB1 as BIO, and all else as it was.

    Args:
        tags: of a sentence, in IOBES or plain.
        scheme: from `scheme_of`.

    Returns:
        A tag for each tag.

    Example:
        >>> from_iobes(["B-PER", "E-PER", "O", "S-LOC"], "BIO")
        ['B-PER', 'I-PER', 'O', 'B-LOC']
    """
    return [of_iobes(tag, scheme) for tag in tags]


def of_iobes(tag: str, scheme: Scheme | None) -> str:
    """Name an IOBES tag in the scheme of the user; in BIO two tags may have the same name.

    Example:
        >>> of_iobes("S-LOC", "BIO"), of_iobes("S-LOC", "IOBES")
        ('B-LOC', 'S-LOC')
    """
    return _BIO_PREFIX.get(tag[0], tag[0]) + tag[1:] if scheme == "BIO" else tag


def _iobes(before: str, tag: str, after: str) -> str:
    """The IOBES tag of a BIO tag between its neighbours."""
    if tag == "O":
        return tag
    begins = tag[0] == "B" or before[2:] != tag[2:]
    ends = after != f"I-{tag[2:]}"
    return ("S" if ends else "B") + tag[1:] if begins else ("E" if ends else "I") + tag[1:]


def _is_iobes(before: str, after: str) -> bool:
    """Whether an IOBES tag may follow another: an open span goes on, and nothing else does."""
    is_open, goes_on = before[0] in "BI", after[0] in "IE"
    return is_open == goes_on and (not is_open or before[2:] == after[2:])


def _find(sentences: list[Sequence[str]], wanted: set[str]) -> tuple[int, int]:
    """The number, from 1, of the first sentence with a wanted tag, and the index of the tag."""
    return next(
        (number, index)
        for number, sentence in enumerate(sentences, start=1)
        for index, tag in enumerate(sentence)
        if tag in wanted
    )


def _around(sentence: Sequence[str], index: int) -> str:
    """The tags next to a place, for a message."""
    begin, end = max(0, index - 2), index + 2
    dots = ("... " * (begin > 0), " ..." * (end < len(sentence)))
    return f"'{dots[0]}{' '.join(sentence[begin:end])}{dots[1]}'"
