"""Tags that mark spans, such as chunks or names: their schemes, and conversions.

    word     Ada   Lovelace  met  Charles  Babbage  in  London
    BIO      B-PER I-PER     O    B-PER    I-PER    O   B-LOC
    IOBES    B-PER E-PER     O    B-PER    E-PER    O   S-LOC
    BILOU    B-PER L-PER     O    B-PER    L-PER    O   U-LOC
    BMEWO    B-PER E-PER     O    B-PER    E-PER    O   W-LOC

BIO is read as conlleval and seqeval read it: an `I-X` that follows no `X` begins a span. IOB1,
which writes `B-` only where two spans of a class touch, is therefore read correctly as BIO. The
other schemes are IOBES with other letters; BMEWO and BMESO write `M-` for `I-`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from itertools import chain, pairwise
from typing import Literal

from apps.common.errors import UserError

Scheme = Literal["BIO", "IOBES", "BILOU", "BMEWO", "BMESO"]

# The letters that each scheme writes for B, I, E and S.
_LETTERS: dict[Scheme, str] = {
    "BIO": "BIIB",
    "IOBES": "BIES",
    "BILOU": "BILU",
    "BMEWO": "BMEW",
    "BMESO": "BMES",
}
_TO_IOBES = {"L": "E", "U": "S", "M": "I", "W": "S"}
# Not `S----3MS1-`: some treebanks have such tags, which are not spans.
_SPAN_TAG = re.compile(r"[BIES]-[^-].*", re.DOTALL)
_OTHER_SPAN_TAG = re.compile(r"[BIESLUMW]-[^-].*", re.DOTALL)
# Spelled otherwise: `b-per`, `B_PER`, `PER-B`, or a letter alone.
_LIKE_SPAN_TAG = re.compile(r"([biesluwm])([-_:/|].+)?|.+[-_:/|]([biesluwm])", re.I | re.DOTALL)


def is_span_tag(tag: str) -> bool:
    """Return whether a tag is `B-`, `I-`, `E-` or `S-` followed by a class.

    Example:
        >>> is_span_tag("B-NP"), is_span_tag("O"), is_span_tag("NOUN")
        (True, False, False)
    """
    return _SPAN_TAG.fullmatch(tag) is not None


def scheme_of(
    tags: Iterable[Sequence[str]],
    expected: Scheme | None = None,
    lines: Sequence[Sequence[int]] = (),
) -> Scheme | None:
    """Detect which span scheme a corpus uses.

    `B-` and `I-` alone make it BIO, where every sequence is valid. `E-` and `S-` tags make it
    IOBES, which must then be well-formed throughout; so must the other schemes, which are
    recognized if all tags are `O` or of one of them, and some begin with `B-`.

    Args:
        tags: Tags of each sentence.
        expected: Scheme of the training data, for tags that several schemes have.
        lines: Line of each tag in its file, for messages; empty for a sentence without a file.

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
    others = counts.keys() - {"O"}
    span_tags = _span_tags(others, expected)
    if not span_tags:
        return None
    if others - span_tags:
        # The rarer kind is assumed to be the mistake.
        kinds = others - span_tags, span_tags
        rare = min(kinds, key=lambda kind: sum(counts[tag] for tag in kind))
        number, index = _find(sentences, rare)
        raise UserError(
            f"{location(number, index, lines)}: span tags and plain tags are mixed, in "
            f"{_around(sentences[number - 1], index)}; tag every word with O "
            "or a span tag (B-, I-, E-, S-), and use no plain tags that look like span tags"
        )
    letters = {tag[0] for tag in span_tags}
    schemes = [name for name, known in _LETTERS.items() if letters <= set(known)]
    if not schemes:
        raise UserError(
            f"no scheme of spans has the letters {', '.join(sorted(letters))} together; use one "
            f"of {', '.join(_LETTERS)}"
        )
    scheme = expected if expected in schemes and schemes[0] != "BIO" else schemes[0]
    if scheme != "BIO":
        _check_well_formed(sentences, scheme, lines)
    return scheme


def location(number: int, index: int, lines: Sequence[Sequence[int]]) -> str:
    """Format where a tag is: its line in the file, or else the number of its sentence.

    Args:
        number: Number of the sentence, from 1.
        index: Index of the tag in the sentence.
        lines: Line of each tag in its file, if there is one.

    Example:
        >>> location(2, 0, [[1, 2], [4]]), location(2, 0, [])
        ('line 4', 'sentence 2')
    """
    known = lines[number - 1] if lines else ()
    return f"line {known[index]}" if known else f"sentence {number}"


def looks_like_spans(tags: Iterable[str]) -> bool:
    """Return whether plain tags look like span tags: in another spelling, or `U-` or `W-` alone.

    Example:
        >>> looks_like_spans(["b-per", "i-per", "o"]), looks_like_spans(["PER-B", "PER-I", "O"])
        (True, True)
        >>> looks_like_spans(["B", "I", "O"]), looks_like_spans(["NOUN", "U"])
        (True, False)
        >>> looks_like_spans(["U-PER", "O"]), looks_like_spans(["U-PER", "NOUN", "O"])
        (True, False)
    """
    tags = set(tags)
    if "O" in tags and all(_OTHER_SPAN_TAG.fullmatch(tag) for tag in tags - {"O"}):
        return len(tags) > 1
    found = [_LIKE_SPAN_TAG.fullmatch(tag) for tag in tags - {"O", "o"}]
    letters = {(match[1] or match[3]).upper() for match in found if match}
    return all(found) and "B" in letters and len(letters) > 1


def to_iobes(tags: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Convert the tags of a sentence to IOBES.

    Args:
        tags: Tags of a sentence.
        scheme: Their scheme, from `scheme_of`; plain tags (None) stay as they are.

    Returns:
        The converted tags.

    Example:
        >>> to_iobes(["B-PER", "I-PER", "O", "B-LOC"], "BIO")
        ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    if scheme is None:
        return list(tags)
    if scheme != "BIO":
        return [standard(tag) for tag in tags]
    padded = ["O", *tags, "O"]
    return [_iobes(*three) for three in zip(padded, tags, padded[2:], strict=False)]


def standard(tag: str) -> str:
    """Write a span tag with the letters of IOBES; those of BIO are among them.

    Example:
        >>> standard("U-LOC"), standard("M-LOC"), standard("O")
        ('S-LOC', 'I-LOC', 'O')
    """
    return _TO_IOBES.get(tag[0], tag[0]) + tag[1:]


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
        >>> of_iobes("S-LOC", "BIO"), of_iobes("S-LOC", "IOBES"), of_iobes("S-LOC", "BILOU")
        ('B-LOC', 'S-LOC', 'U-LOC')
    """
    if scheme is None or tag == "O":
        return tag
    return _LETTERS[scheme]["BIES".index(tag[0])] + tag[1:]


def _iobes(before: str, tag: str, after: str) -> str:
    """Convert a BIO tag to IOBES, given its neighbors."""
    if tag == "O":
        return tag
    begins = tag[0] == "B" or before[2:] != tag[2:]
    ends = after != f"I-{tag[2:]}"
    return ("S" if ends else "B") + tag[1:] if begins else ("E" if ends else "I") + tag[1:]


def _span_tags(tags: Set[str], expected: Scheme | None) -> Set[str]:
    """Return the span tags among the tags of a corpus, which are those of `scheme_of`."""
    with_letter = {tag for tag in tags if _OTHER_SPAN_TAG.fullmatch(tag)}
    begins = any(tag[0] == "B" for tag in with_letter)
    if with_letter == tags and (expected or begins):
        return tags
    usual = {tag for tag in tags if is_span_tag(tag)}
    classes = {tag[2:] for tag in usual if begins}
    return usual | {tag for tag in with_letter if tag[2:] in classes}


def _check_well_formed(
    sentences: list[Sequence[str]], scheme: Scheme, lines: Sequence[Sequence[int]]
) -> None:
    """Raise UserError if a sequence of tags isn't possible in a scheme other than BIO."""
    *_, end, single = _LETTERS[scheme]
    for number, sentence in enumerate(sentences, start=1):
        for index, (before, after) in enumerate(pairwise(["O", *map(standard, sentence), "O"])):
            if not _is_iobes(before, after):
                others = {tag for row in sentences for tag in row if tag[0] not in "BIO"}
                witness = location(*_find(sentences, others), lines)
                here = location(number, min(index, len(sentence) - 1), lines)
                raise UserError(
                    f"{here}: span schemes are mixed: {witness} is in "
                    f"{scheme}, but {_around(sentence, index)} is not; use {scheme} throughout, or "
                    f"neither {end}- nor {single}-"
                )


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
