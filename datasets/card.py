"""Data cards: what exports, documents and releases state about a data set."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from datasets.formats.lines import DataError


@dataclass(frozen=True)
class Card:
    """Facts about a data set."""

    title: str
    """Title of the data set, in plain words."""

    data: str
    """What the data are and where they come from, with the URL; model cards quote it."""

    licence: str
    """License of the data."""

    model_licence: str
    """License of models trained on the data."""

    citation: str
    """One line: authors, year, title, venue."""

    releasable: bool
    """Whether models trained on the data may be released."""


def load_card(name: str) -> Card:
    """Read the card of a data set, `card.toml` in its folder.

    Args:
        name: Name of the data set, which is that of its folder.

    Returns:
        The card.

    Raises:
        DataError: If the data set doesn't exist.

    Example:
        >>> load_card("tatoeba").model_licence
        'CC BY 2.0 FR, as its data'
    """
    path = Path(__file__).parent / name / "card.toml"
    if not path.is_file():
        raise DataError(f"no card for a data set {name!r}; check its name")
    return Card(**tomllib.loads(path.read_text(encoding="utf-8")))
