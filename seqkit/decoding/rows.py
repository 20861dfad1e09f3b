"""Nests of tensors whose leading axis is rows: count, repeat, select and compare them.

A nest may hold None for an optional tensor (a memory without a mask); it stays None.
"""

from collections.abc import Callable

from keras import ops, tree
from keras.backend import standardize_dtype

from seqkit.checks import static_shape
from seqkit.typing import Nest, Shape, Tensor


def count(*nests: Nest) -> Tensor:
    """Return the number of rows, that of the first tensor in the nests."""
    found = leaves(nests)
    if not found:
        raise ValueError(
            "neither the state nor the constants hold a tensor, so the number of rows is not "
            "known; pass a state, even if only zeros (rows, 1)"
        )
    return ops.shape(found[0])[0]


def leaves(nest: Nest) -> list[Tensor]:
    """Return the tensors of the nest, without None."""
    return [leaf for leaf in tree.flatten(nest) if leaf is not None]


def with_leaves(nest: Nest, leaves: list[Tensor]) -> Nest:
    """Return the nest with its tensors replaced, in the order of `leaves`."""
    new = iter(leaves)
    return _map(lambda x: next(new), nest)


def as_tensors(nest: Nest) -> Nest:
    """Convert the arrays of the nest to tensors."""
    return _map(ops.convert_to_tensor, nest)


def repeat(nest: Nest, times: int) -> Nest:
    """Repeat each row `times` times, next to each other."""
    return _map(lambda x: ops.repeat(x, times, axis=0), nest)


def take(nest: Nest, rows: Tensor | None) -> Nest:
    """Select rows (n,) int32 of every tensor, one gather per leaf; None: all, in order."""
    return nest if rows is None else _map(lambda x: ops.take(x, rows, axis=0), nest)


def take_if(condition: Tensor, rows: Tensor, nest: Nest) -> Nest:
    """Select rows (n,) int32 if the scalar condition holds, otherwise keep all."""
    old = leaves(nest)  # TensorFlow's branches can't return None
    new = ops.cond(condition, lambda: [ops.take(x, rows, axis=0) for x in old], lambda: old)
    return with_leaves(nest, new)


def few(active: Tensor) -> tuple[Tensor, Tensor]:
    """Return whether at most 7/8 of the rows are active ((rows,) bool), and their numbers.

    Leaving rows out copies the rest, which should take less time than it saves.
    """
    count = ops.sum(ops.cast(active, "int32"))
    active_first = ops.argsort(ops.cast(ops.logical_not(active), "int32"))
    return 8 * count <= 7 * ops.shape(active)[0], active_first[:count]


def write_step(buffers: Nest, t: Tensor, values: Nest, rows: Tensor | None = None) -> Nest:
    """Write values (rows, ...) to index t of the buffers' leading axis, at rows (n,) or all."""

    def write(buffer: Tensor | None, value: Tensor | None) -> Tensor | None:
        if buffer is None:
            return None
        if rows is None:
            return ops.scatter_update(buffer, ops.reshape(t, (1, 1)), value[None])
        indices = ops.stack([ops.broadcast_to(t, ops.shape(rows)), rows], axis=-1)
        return ops.scatter_update(buffer, indices, value)

    return tree.map_structure(write, buffers, values)


def write_rows(base: Nest, rows: Tensor | None, values: Nest) -> Nest:
    """Replace rows (n,) of the nest `base` by `values` (n, ...); None: replace all."""
    if rows is None:
        return values
    return tree.map_structure(lambda x, y: ops.scatter_update(x, rows[:, None], y), base, values)


def while_loop(condition: Callable, body: Callable, carry: tuple) -> tuple:
    """Run `ops.while_loop` over nests that may hold None, which TensorFlow's loop rejects."""
    final = ops.while_loop(
        lambda *flat: condition(*with_leaves(carry, flat)),
        lambda *flat: tuple(leaves(body(*with_leaves(carry, flat)))),
        tuple(leaves(carry)),
    )
    return with_leaves(carry, final)


def check_same(before: Nest, after: Nest) -> Nest:
    """Return the state after a step if it has the structure and dtypes of the one before."""
    try:
        tree.assert_same_structure(before, after)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"step returned a state of another structure than the one it received: {error}"
        ) from error
    for a, b in zip(leaves(after), leaves(before), strict=True):
        if a.dtype != b.dtype or not _fits(static_shape(a), static_shape(b)):
            raise ValueError(
                f"step turned a state of {standardize_dtype(b.dtype)} {tuple(b.shape)} into "
                f"{standardize_dtype(a.dtype)} {tuple(a.shape)}; it must keep dtype and shape"
            )
    return after


def _fits(shape: Shape | None, other: Shape | None) -> bool:
    """Return whether two static shapes can be the same."""
    return None in (shape, other) or (
        len(shape) == len(other)
        and all(None in pair or pair[0] == pair[1] for pair in zip(shape, other, strict=True))
    )


def _map(function: Callable[[Tensor], Tensor], nest: Nest) -> Nest:
    return tree.map_structure(lambda x: None if x is None else function(x), nest)
