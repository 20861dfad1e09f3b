"""Padding must not matter: where it lies, what stands in it, whether it fills a row."""

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, is_floating, takes, to_numpy, weighted_sum
from seqkit.typing import Tensor

PLACES = ("on the right", "on the left", "in gaps")


def padding_changes_nothing(case: Case) -> None:
    """Masked steps change no result and no gradient: right, left, in gaps, or filling a row."""
    layer = case.layer()
    passed = takes(layer, "mask")
    if case.length is None or not (passed or layer.supports_masking):
        return
    symbols = keras.tree.flatten(case.call(layer, case.symbols()))
    backwards = getattr(layer, "go_backwards", False)

    def real_steps(outputs: Tensor, mask: np.ndarray) -> list:
        """Of outputs with a time axis, the real steps; of others, all."""
        index = np.stack([np.flatnonzero(row) for row in (mask[:, ::-1] if backwards else mask)])
        return [
            _take(output, index) if len(symbol.shape) > 2 and symbol.shape[1] is None else output
            for symbol, output in zip(symbols, keras.tree.flatten(outputs), strict=True)
        ]

    masks = _masks(case)
    mask = np.concatenate([*masks, np.zeros_like(masks[0][:1])])
    arrays = [_padded(case, array, mask) for array in case.arrays]
    more = {"mask": _mirrored(case, mask)} if passed else {}
    rows = len(masks[0])

    def by_place(outputs: Tensor) -> list[list]:
        """The real results, once for each place of the padding."""
        blocks = [
            [leaf[k * rows : (k + 1) * rows] for leaf in keras.tree.flatten(outputs)]
            for k in range(len(masks))
        ]
        return [real_steps(*both) for both in zip(blocks, masks, strict=True)]

    wanted = to_numpy(case.call(layer))
    outputs = case.call(layer, arrays, **more)
    for place, found in zip(PLACES, by_place(outputs), strict=True):
        assert_same(to_numpy(found), wanted, f"outputs of real steps without padding and {place}")
    floats = filter(is_floating, keras.tree.flatten(outputs))
    finite = all(np.isfinite(output).all() for output in to_numpy(list(floats)))
    assert finite, "outputs with padding filling a row are not finite"

    if layer.trainable_weights:
        plain = case.gradients(layer, weighted_sum)
        padded = case.gradients(
            layer, lambda outputs: sum(map(weighted_sum, by_place(outputs))), arrays, **more
        )
        pairs = [pair for pair in zip(padded, plain, strict=True) if pair[1] is not None]
        found, wanted = [p / len(masks) for p, _ in pairs], [p for _, p in pairs]
        assert_same(found, wanted, "weight gradients with and without padding", tolerance=1e-4)


def _masks(case: Case) -> list[np.ndarray]:
    """For each of `PLACES` a mask (batch, length + 2) with `length` real steps in each row."""
    batch = len(case.arrays[0])
    right = np.ones((batch, case.length + 2), bool)
    right[:, -2:] = False
    gaps = np.ones_like(right)
    for row, steps in enumerate(gaps):
        steps[row % case.length] = steps[row % case.length + 2] = False
    return [right, right[:, ::-1], gaps]


def _padded(case: Case, array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The array's rows over and over, as many as the mask has, their steps where it is True.

    Padding of floats is noise around 100, of whole numbers any of their own, of flags False.
    """
    random = np.random.default_rng(2)
    rows = array[np.arange(len(mask)) % len(array)]
    if not _follows(case, array):
        return rows
    shape = (*mask.shape, *array.shape[2:])
    if is_floating(array):
        padded = (100 + random.standard_normal(shape)).astype(array.dtype)
    elif array.dtype == bool:
        padded = np.zeros(shape, bool)
    else:
        padded = random.choice(array.ravel(), shape)
    for steps, kept, row in zip(padded, mask, rows, strict=True):
        steps[kept] = row[: kept.sum()]
    return padded


def _mirrored(case: Case, mask: np.ndarray) -> Tensor:
    """The mask in the structure of the inputs, as Keras hands it on: None where there is none."""
    return keras.tree.map_structure(
        lambda array: mask if _follows(case, array) else None, case.inputs
    )


def _follows(case: Case, array: np.ndarray) -> bool:
    return case.has_time(array) and array.shape[1] == case.length


def _take(output: Tensor, index: np.ndarray) -> Tensor:
    """The steps `index` (batch, steps) of output (batch, time, ...)."""
    wide = index.reshape(index.shape + (1,) * (len(output.shape) - 2))
    return keras.ops.take_along_axis(output, wide, axis=1)
