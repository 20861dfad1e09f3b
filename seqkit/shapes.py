"""Shapes of the arguments of pure functions, written once and checked at each call."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from seqkit.checks import check_numbers, invalid, static_shape
from seqkit.typing import Shape, Tensor


def shapes(**axes: str) -> Callable:
    """Let a pure function check the shapes of its arguments, without any cost in a graph.

    Args:
        axes: Axes of each argument, such as "batch time size". A name stands for the same size in
            all arguments, a number for itself, and `...` for any number of axes; alternatives are
            separated by `|`. Unknown sizes match everything, and so does None as an argument.

    Example:
        >>> @shapes(query="batch size", keys="batch time size")
        ... def score(query, keys):
        ...     return np.einsum("bs,bts->bt", query, keys)
        >>> score(np.ones((2, 3)), np.ones((2, 5, 4)))
        Traceback (most recent call last):
        ValueError: score: the shape of keys is (2, 5, 4); it must be (batch, time, size), with
        batch = 2, size = 3
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs).arguments
            sizes: dict[str, int] = {}
            for name, alternatives in axes.items():
                if given.get(name) is not None:
                    _check(function.__name__, name, given[name], alternatives, sizes)
            return function(*args, **kwargs)

        wrapper.axes = axes
        return wrapper

    return decorate


def check_broadcast(name: str, x: Any, like: Tensor, owner: object) -> None:
    """Raise a ValueError if x can't be broadcast to the shape of another tensor."""
    check_numbers(name, x, owner)
    given, wanted = _shape(x), _shape(like)
    if given is None or wanted is None:
        return
    pairs = zip(reversed(given), reversed(wanted), strict=False)
    if len(given) > len(wanted) or any(a not in (1, b, None) and b is not None for a, b in pairs):
        raise invalid(owner, f"the shape of {name} is {given}; it can't be broadcast to {wanted}")


def _check(owner: str, name: str, x: Any, alternatives: str, sizes: dict[str, int]) -> None:
    """Raise a ValueError if x doesn't have these axes; add their sizes to `sizes`."""
    shape = _shape(x)
    if shape is None:
        return
    check_numbers(name, x, owner)
    for pattern in alternatives.split("|"):
        found = _match(shape, pattern.split(), sizes)
        if found is not None:
            sizes |= found
            return
    named = " or ".join(f"({', '.join(pattern.split())})" for pattern in alternatives.split("|"))
    known = [f"{axis} = {n}" for axis, n in sizes.items() if axis in alternatives.split()]
    rule = f"{named}, with {', '.join(known)}" if known else named
    raise invalid(owner, f"the shape of {name} is {shape}; it must be {rule}")


def _shape(x: Any) -> Shape | None:
    return static_shape(x) if hasattr(x, "shape") else np.shape(x)


def _match(shape: Shape, pattern: list[str], sizes: dict[str, int]) -> dict[str, int] | None:
    """Return the sizes of named axes if a shape fits a pattern, otherwise None."""
    if "..." in pattern:
        place = pattern.index("...")
        after = len(pattern) - place - 1
        if len(shape) < place + after:
            return None
        shape = (*shape[:place], *shape[len(shape) - after :])
        pattern = [axis for axis in pattern if axis != "..."]
    if len(shape) != len(pattern):
        return None
    found: dict[str, int] = {}
    for axis, size in zip(pattern, shape, strict=True):
        wanted = int(axis) if axis.isdigit() else sizes.get(axis, found.get(axis))
        if size is None:
            continue
        if wanted is not None and wanted != size:
            return None
        found[axis] = size
    return found
