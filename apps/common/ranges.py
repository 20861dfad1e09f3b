"""Checks of the numbers in a configuration: each names the option, its range and the value."""

from typing import Any

from apps.common.errors import UserError


def at_least(least: float, options: Any, *names: str) -> None:
    """Raise UserError if one of these options is less than that; None is no number.

    Example:
        >>> from types import SimpleNamespace
        >>> at_least(1, SimpleNamespace(units=0), "units")
        Traceback (most recent call last):
        apps.common.errors.UserError: units must be at least 1, not 0
    """
    _check(options, names, lambda value: value >= least, f"be at least {least}")


def above_zero(options: Any, *names: str) -> None:
    """Raise UserError if one of these options is not above 0; None is no number."""
    _check(options, names, lambda value: value > 0, "be above 0")


def a_share(options: Any, *names: str) -> None:
    """Raise UserError if one of these options does not lie in [0, 1); None is no number."""
    _check(options, names, lambda value: 0 <= value < 1, "lie in [0, 1)")


def _check(options: Any, names: tuple[str, ...], holds: Any, wanted: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None and not holds(value):  # NaN holds nothing
            raise UserError(f"{name} must {wanted}, not {value}")
