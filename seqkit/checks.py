"""Argument checks, whose errors name the layer, the argument and the value."""


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
