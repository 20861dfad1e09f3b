"""Facts of what was read, in a few words each; long lists are cut."""

from collections import Counter
from collections.abc import Iterable

SHOWN = 3  # labels that are named
_WIDTH = 60  # characters of a text that is shown


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Format a number with its noun.

    Example:
        >>> counted(1, "sentence"), counted(8936, "sentence"), counted(2, "story", "stories")
        ('1 sentence', '8,936 sentences', '2 stories')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or noun + 's'}"


def percent(part: float, whole: float) -> str:
    """Format a share.

    Example:
        >>> percent(1, 3), percent(0, 0)
        ('33.3%', '0.0%')
    """
    return f"{100 * part / max(whole, 1):.1f}%"


def labels(found: Iterable[str], noun: str) -> str:
    """Count labels, and name the most frequent ones with their shares.

    Example:
        >>> labels(["O", "O", "O", "B-LOC"], "tag")
        '2 tags (O 75.0%, B-LOC 25.0%)'
    """
    counts = Counter(found)
    most = ", ".join(
        f"{cut(label, 20)} {percent(count, counts.total())}"
        for label, count in counts.most_common(SHOWN)
    )
    return f"{counted(len(counts), noun)} ({most}{', ...' * (len(counts) > SHOWN)})"


def cut(text: str, width: int = _WIDTH) -> str:
    """Cut a long text.

    Example:
        >>> cut("Confidence in the pound", width=13)
        'Confidence...'
    """
    return text if len(text) <= width else text[: width - 3] + "..."
