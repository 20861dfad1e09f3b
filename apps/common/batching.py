"""Batches of examples of similar lengths, for training and for calling signatures."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

Item = TypeVar("Item")


def bucket_batches(
    widths: np.ndarray,
    batch_size: int,
    order: np.random.Generator | None = None,
    fill: Literal["repeat", "blank"] = "blank",
) -> list[tuple[np.ndarray, int]]:
    """Batch examples of equal width into full batches, so that XLA compiles each shape once.

    Args:
        widths: Padded length of each example, (examples,).
        batch_size: Examples per batch, at most all.
        order: Generator that shuffles the examples of each width, then the batches; None: no
            shuffling.
        fill: How the last batch of each width is filled: with its first examples again ("repeat"),
            or with -1 ("blank").

    Returns:
        The indices (batch_size,) of the examples of each batch, and their width.

    Example:
        >>> batches = bucket_batches(np.array([8, 16, 8, 8]), batch_size=2)
        >>> [(rows.tolist(), width) for rows, width in batches]
        [([0, 2], 8), ([3, -1], 8), ([1, -1], 16)]
    """
    batch_size = min(batch_size, len(widths))  # more rows would only be padding
    examples = np.arange(len(widths)) if order is None else order.permutation(len(widths))
    batches = []
    for width in np.unique(widths).tolist():
        members = examples[widths[examples] == width]
        steps = -(-len(members) // batch_size)
        full = np.full(steps * batch_size, -1)
        full[: len(members)] = members
        if fill == "repeat":
            full = np.resize(members, full.shape)
        batches += [(rows, width) for rows in full.reshape(steps, batch_size).astype("int32")]
    return batches if order is None else [batches[i] for i in order.permutation(len(batches))]


def in_batches(
    function: Callable[[list[Item]], Sequence[Any]],
    items: Sequence[Item],
    batch_size: int = 64,
    key: Callable[[Item], Any] | None = None,
) -> list[Any]:
    """Apply a function to batches of items, and return the results in the order of the items.

    Args:
        function: Takes a list of items and returns one result per item.
        items: The items.
        batch_size: Items per batch; the last batch may have fewer.
        key: Items are batched in the order of this key, such as their length, so that there is
            little padding; None: in the order given.

    Example:
        >>> in_batches(lambda words: [word.upper() for word in words], ["ccc", "a"], key=len)
        ['CCC', 'A']
    """
    order = range(len(items))
    if key is not None:
        order = sorted(order, key=lambda index: key(items[index]))
    results: list[Any] = [None] * len(items)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        for row, result in zip(rows, function([items[i] for i in rows]), strict=True):
            results[row] = result
    return results


def pad(
    rows: Sequence[Sequence[Any]], fill: Any, width: int | None = None, dtype: Any = None
) -> np.ndarray:
    """Stack rows of different lengths into one padded array.

    Args:
        rows: Sequences of numbers or strings.
        fill: Value of the padding.
        width: Length of the padded rows; None: that of the longest row.
        dtype: Type of the array; None: int32 for numbers, object for strings.

    Example:
        >>> pad([["a", "dog"], ["run"]], "").tolist()
        [['a', 'dog'], ['run', '']]
    """
    width = max(map(len, rows), default=0) if width is None else width
    dtype = dtype or (object if isinstance(fill, str) else "int32")
    return np.array([[*row, *[fill] * (width - len(row))] for row in rows], dtype)
