"""Argument checks, whose errors name the layer, the argument and the value."""

from collections.abc import Collection
from typing import Any


def one_of(name: str, value: Any, choices: Collection[Any], owner: object) -> Any:
    """Return the value if it is one of the choices.

    Args:
        name: Name of the argument.
        value: Its value.
        choices: The valid values.
        owner: Object whose argument it is.

    Raises:
        ValueError: If it is another.
    """
    if value not in choices:
        raise ValueError(
            f"{type(owner).__name__}: {name} is {value!r}; it must be one of {[*choices]}"
        )
    return value


def positive(name: str, value: int, owner: object) -> int:
    """Return the value if it is a positive int.

    Args:
        name: Name of the argument.
        value: Its value.
        owner: The layer that has the argument; the error names its class.

    Raises:
        ValueError: If the value is not a positive int.

    Example:
        >>> positive("units", 0, [])
        Traceback (most recent call last):
        ValueError: list: units is 0; it must be a positive int
    """
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"{type(owner).__name__}: {name} is {value!r}; it must be a positive int")
    return value
