"""Range checks of configurations: each error names the option, its range and the value."""

from collections.abc import Callable
from typing import Any

from apps.common.errors import UserError


def at_least(minimum: float, options: Any, *names: str) -> None:
    """Raise UserError if one of these options is less than the minimum; None passes.

    Example:
        >>> from types import SimpleNamespace
        >>> at_least(1, SimpleNamespace(units=0), "units")
        Traceback (most recent call last):
        apps.common.errors.UserError: units must be at least 1, not 0
    """
    _check(options, names, lambda value: value >= minimum, f"be at least {minimum}")


def between(minimum: int, maximum: int, options: Any, *names: str) -> None:
    """Raise UserError if one of these options is outside of a range; None passes.

    Example:
        >>> from types import SimpleNamespace
        >>> between(1, 100, SimpleNamespace(n_best=101), "n_best")
        Traceback (most recent call last):
        apps.common.errors.UserError: n_best must be 1 to 100, not 101
    """
    _check(options, names, lambda n: minimum <= n <= maximum, f"be {minimum} to {maximum}")


def positive(options: Any, *names: str) -> None:
    """Raise UserError if one of these options is not above 0; None passes."""
    _check(options, names, lambda value: value > 0, "be above 0")


def fraction(options: Any, *names: str) -> None:
    """Raise UserError if one of these options is not in [0, 1); None passes."""
    _check(options, names, lambda value: 0 <= value < 1, "lie in [0, 1)")


def _check(options: Any, names: tuple[str, ...], holds: Callable[[float], bool], rule: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None and not holds(value):  # NaN fails every rule
            raise UserError(f"{name} must {rule}, not {value}")
