"""Nests of tensors whose leading axis is rows: what decoding counts, repeats, picks and compares.

A nest may hold None where there is nothing (a memory without a mask); it stays None.
"""

from typing import Any

from keras import ops, tree


def count(*nests: Any) -> Any:
    """The number of rows: of the first tensor in the nests."""
    leaves = [leaf for leaf in tree.flatten(nests) if leaf is not None]
    if not leaves:
        raise ValueError(
            "neither the state nor the constants hold a tensor, so the number of rows is not "
            "known; give a state, if only zeros (rows, 1)"
        )
    return ops.shape(leaves[0])[0]


def tensors(nest: Any) -> Any:
    """The nest with tensors in the place of arrays."""
    return _map(lambda x: x, nest)


def tile(nest: Any, times: int) -> Any:
    """Each row `times` times, side by side."""
    return _map(lambda x: ops.repeat(x, times, axis=0), nest)


def take(nest: Any, rows: Any) -> Any:
    """These rows of every tensor: rows (n,) int32, one gather a leaf."""
    return _map(lambda x: ops.take(x, rows, axis=0), nest)


def where(condition: Any, then: Any, otherwise: Any) -> Any:
    """Row by row: condition (rows,) bool."""
    return tree.map_structure(
        lambda a, b: ops.where(ops.reshape(condition, (-1, *[1] * (len(a.shape) - 1))), a, b),
        then,
        otherwise,
    )


def put(buffer: Any, t: Any, value: Any) -> Any:
    """The buffer with `value` at index t of its leading axis."""
    return ops.scatter_update(buffer, ops.reshape(t, (1, 1)), value[None])


def like(before: Any, after: Any) -> Any:
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


def _map(function: Any, nest: Any) -> Any:
    return tree.map_structure(
        lambda x: None if x is None else function(ops.convert_to_tensor(x)), nest
    )
