"""Fixed splits: their names, and random draws that never change."""

import random
from collections.abc import Callable, Hashable, Sequence
from typing import Literal, TypeVar

Split = Literal["train", "dev", "test"]
Item = TypeVar("Item", bound=Hashable)


def uniform_source(seed: int) -> Callable[[], float]:
    """Return a function that draws uniform numbers from [0, 1), the same in every Python version.

    `random()` is the only method of `random.Random` that guarantees this.

    Example:
        >>> round(uniform_source(seed=1)(), 6)
        0.134364
    """
    return random.Random(seed).random


def hold_out(items: Sequence[Item], count: int, seed: int) -> set[Item]:
    """Draw items at random, the same ones for the same seed.

    Example:
        >>> sorted(hold_out(range(100), count=3, seed=1))
        [13, 35, 91]
    """
    draw = uniform_source(seed)
    return set(sorted(items, key=lambda _: draw())[:count])
