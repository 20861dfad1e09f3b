"""Constraints on which tags may follow each other."""

from collections.abc import Sequence

from seqkit.checks import invalid

_NAME = "transition_constraints"


def transition_constraints(tags: Sequence[str], scheme: str = "BIO") -> dict[str, list]:
    """Return which tags may follow each other in a tagging scheme for spans.

    Args:
        tags: Names such as "O", "B-NP", "I-NP", and for IOBES also "E-NP", "S-NP".
        scheme: "BIO" (a span begins with B) or "IOBES" (it also ends with E, or is a single S).
            Tags of IOB1, whose spans may begin with I, must be converted to BIO first.

    Returns:
        `transitions`, `start` and `end` for `CRF`, as nested lists of bools.

    Raises:
        ValueError: If the scheme is unknown, or a tag is not a name in it.

    Example:
        >>> transition_constraints(["O", "B-NP", "I-NP"])["start"]
        [True, True, False]
    """
    if scheme not in ("BIO", "IOBES"):
        raise invalid(_NAME, f"scheme is {scheme!r}; it must be 'BIO' or 'IOBES'")
    if isinstance(tags, str):
        raise invalid(_NAME, f"tags are the string {tags!r}; they must be a list of names")
    for tag in tags:
        if not isinstance(tag, str):
            raise invalid(_NAME, f"tag {tag!r} is not a name; tags must be a list of strings")
        if tag != "O" and (tag[:1] not in scheme.replace("O", "") or tag[1:2] != "-"):
            problem = f"tag {tag!r} is not part of the {scheme} scheme"
            raise invalid(_NAME, f"{problem}; {_remedy(tags, scheme)}")

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


def _remedy(tags: Sequence[str], scheme: str) -> str:
    """Return what to do about tags that aren't part of a scheme."""
    prefixes = {str(name)[:2] for name in tags} - {"O"}
    if scheme == "BIO" and prefixes <= {"B-", "I-", "E-", "S-"}:
        return 'give scheme="IOBES"'
    if prefixes <= {"B-", "I-", "M-", "E-", "L-", "S-", "U-", "W-"}:
        return (
            'rename M- to I-, L- to E-, U- and W- to S-, as IOBES has them, and give scheme="IOBES"'
        )
    return "tags must be O, B-NAME, I-NAME, and in IOBES also E-NAME, S-NAME"
