"""Nests of tensors whose leading axis is rows: what decoding counts, repeats, picks and compares.

A nest may hold None where there is nothing (a memory without a mask); it stays None.
"""

from typing import Any

from keras import ops, tree

from seqkit.typing import Nest, Tensor


def count(*nests: Any) -> Tensor:
    """The number of rows: of the first tensor in the nests."""
    found = leaves(nests)
    if not found:
        raise ValueError(
            "neither the state nor the constants hold a tensor, so the number of rows is not "
            "known; give a state, if only zeros (rows, 1)"
        )
    return ops.shape(found[0])[0]


def leaves(nest: Nest) -> list:
    """The tensors of the nest."""
    return [leaf for leaf in tree.flatten(nest) if leaf is not None]


def with_leaves(nest: Nest, leaves: list) -> Nest:
    """The nest with other tensors in the place of its own."""
    other = iter(leaves)
    return _map(lambda x: next(other), nest)


def tensors(nest: Nest) -> Nest:
    """The nest with tensors in the place of arrays."""
    return _map(lambda x: x, nest)


def tile(nest: Nest, times: int) -> Nest:
    """Each row `times` times, side by side."""
    return _map(lambda x: ops.repeat(x, times, axis=0), nest)


def take(nest: Nest, rows: Tensor) -> Nest:
    """These rows of every tensor: rows (n,) int32, one gather a leaf; None: all, in their order."""
    if rows is None:
        return nest
    return _map(lambda x: ops.take(x, rows, axis=0), nest)


def few_left(goes_on: Tensor) -> tuple[Tensor, Tensor]:
    """Whether no more than half of the rows go on ((rows,) bool), and which those are."""
    count = ops.sum(ops.cast(goes_on, "int32"))
    them_first = ops.argsort(ops.cast(ops.logical_not(goes_on), "int32"))
    return 2 * count <= ops.shape(goes_on)[0], them_first[:count]


def where(condition: Tensor, then: Nest, otherwise: Nest) -> Nest:
    """Row by row: condition (rows,) bool."""
    return tree.map_structure(
        lambda a, b: ops.where(ops.reshape(condition, (-1, *[1] * (len(a.shape) - 1))), a, b),
        then,
        otherwise,
    )


def put(buffer: Tensor, t: Tensor, value: Any, rows: Tensor | None = None) -> Tensor:
    """The buffer with `value` at index t of its leading axis, or there at these rows (n,) alone."""
    if rows is None:
        return ops.scatter_update(buffer, ops.reshape(t, (1, 1)), value[None])
    at = ops.stack([ops.broadcast_to(t, ops.shape(rows)), rows], axis=-1)
    return ops.scatter_update(buffer, at, value)


def spread(nest: Nest, rows: Tensor, over: Nest) -> Nest:
    """The nest `over` with this nest's tensors (n, ...) in these rows (n,); None: in all."""
    if rows is None:
        return nest
    return tree.map_structure(lambda x, y: ops.scatter_update(y, rows[:, None], x), nest, over)


def like(before: Nest, after: Nest) -> Nest:
    """The state after a step, if it has the structure and the dtypes of the one before it."""
    try:
        tree.assert_same_structure(before, after)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"step returned a state of another structure than it was given: {error}"
        ) from error
    for a, b in zip(tree.flatten(after), tree.flatten(before), strict=True):
        if a.dtype != b.dtype or len(a.shape) != len(b.shape):
            raise ValueError(
                f"step turned a state of {b.dtype} {tuple(b.shape)} into {a.dtype} "
                f"{tuple(a.shape)}; it must keep dtype and shape"
            )
    return after


def _map(function: Any, nest: Nest) -> Nest:
    return tree.map_structure(
        lambda x: None if x is None else function(ops.convert_to_tensor(x)), nest
    )
