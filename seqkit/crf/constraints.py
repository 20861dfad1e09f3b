"""Constraints on which tags may follow each other."""

from collections.abc import Sequence


def transition_constraints(tags: Sequence[str], scheme: str = "BIO") -> dict[str, list]:
    """Return which tags may follow each other in a tagging scheme for spans.

    Args:
        tags: Names such as "O", "B-NP", "I-NP", and for IOBES also "E-NP", "S-NP".
        scheme: "BIO" (a span begins with B) or "IOBES" (it also ends with E, or is a single S).

    Returns:
        `transitions`, `start` and `end` for `CRF`, as nested lists of bools.

    Raises:
        ValueError: If the scheme is unknown, or a tag is not a name in it.

    Example:
        >>> transition_constraints(["O", "B-NP", "I-NP"])["start"]
        [True, True, False]
    """
    if scheme not in ("BIO", "IOBES"):
        raise ValueError(f"scheme is {scheme!r}; it must be 'BIO' or 'IOBES'")
    if isinstance(tags, str):
        raise ValueError(f"tags are the string {tags!r}; they must be a list of names")
    for tag in tags:
        if not isinstance(tag, str):
            raise ValueError(f"tag {tag!r} is not a name; tags must be a list of strings")
        if tag != "O" and (tag[:1] not in scheme.replace("O", "") or tag[1:2] != "-"):
            raise ValueError(f"tag {tag!r} is not part of the {scheme} scheme")

    def follows(before: str, after: str) -> bool:
        """Return whether `after` may follow `before`; "O" also means outside of the sentence."""
        continues = after[0] in ("IE" if scheme == "IOBES" else "I")
        is_open = before[0] in "BI"
        if continues:
            return is_open and before[1:] == after[1:]
        return scheme == "BIO" or not is_open

    return {
        "transitions": [[follows(i, j) for j in tags] for i in tags],
        "start": [follows("O", j) for j in tags],
        "end": [follows(i, "O") for i in tags],
    }
