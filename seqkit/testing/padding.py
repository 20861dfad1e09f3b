"""Check that padding does not matter: its place, its content, whether it fills a row."""

import keras
import numpy as np

from seqkit.testing.case import Case, assert_same, flat_arrays, is_floating, takes, weighted_sum
from seqkit.typing import Nest, Tensor

PLACES = ("on the right", "on the left", "in gaps")
PADDING = 2  # steps of padding in a row


def padding_changes_nothing(case: Case) -> None:
    """Masked steps change no result and no gradient: right, left, in gaps, or filling a row."""
    layer = case.layer()
    takes_mask = takes(layer, "mask")
    if case.length is None or not (takes_mask or layer.supports_masking):
        return
    masks = _masks(case)
    mask = np.concatenate([*masks, np.zeros_like(masks[0][:1])])
    arrays = [_padded(case, array, mask) for array in case.arrays]
    kwargs = {"mask": _nested_mask(case, mask)} if takes_mask else {}
    if getattr(layer, "go_backwards", False):
        masks = [mask[:, ::-1] for mask in masks]  # as the outputs

    wanted = flat_arrays(case.call(layer))
    outputs = case.call(layer, arrays, **kwargs)
    has_time = [
        len(one.shape) > 2 and one.shape[1] == other.shape[1] + PADDING
        for one, other in zip(keras.tree.flatten(outputs), wanted, strict=True)
    ]
    for place, found in zip(PLACES, _real_results(outputs, has_time, masks), strict=True):
        assert_same(
            flat_arrays(found), wanted, f"outputs of real steps without padding and {place}"
        )
    floats = filter(is_floating, keras.tree.flatten(outputs))
    finite = all(np.isfinite(output).all() for output in flat_arrays(list(floats)))
    assert finite, "outputs with padding filling a row are not finite"

    if layer.trainable_weights:

        def loss(outputs: Nest) -> Tensor:
            return sum(map(weighted_sum, _real_results(outputs, has_time, masks)))

        plain = case.gradients(layer, weighted_sum)
        padded = case.gradients(layer, loss, arrays, **kwargs)
        pairs = [pair for pair in zip(padded, plain, strict=True) if pair[1] is not None]
        found, wanted = [p / len(masks) for p, _ in pairs], [p for _, p in pairs]
        assert_same(found, wanted, "weight gradients with and without padding", tolerance=1e-4)


def _real_results(outputs: Nest, has_time: list[bool], masks: list[np.ndarray]) -> list[list]:
    """Return for each mask the outputs of its rows; of outputs with a time axis, the real steps."""
    results = []
    for k, mask in enumerate(masks):
        rows = slice(k * len(mask), (k + 1) * len(mask))
        steps = np.stack([np.flatnonzero(row) for row in mask])
        results.append(
            [
                _take(output[rows], steps) if timed else output[rows]
                for output, timed in zip(keras.tree.flatten(outputs), has_time, strict=True)
            ]
        )
    return results


def _masks(case: Case) -> list[np.ndarray]:
    """Return for each of `PLACES` a mask with `length` real steps per row, and PADDING others."""
    batch = len(case.arrays[0])
    right = np.ones((batch, case.length + PADDING), bool)
    right[:, -PADDING:] = False
    gaps = np.ones_like(right)
    for row, steps in enumerate(gaps):
        steps[row % case.length] = steps[row % case.length + PADDING] = False
    return [right, right[:, ::-1], gaps]


def _padded(case: Case, array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Repeat the array's rows until there are as many as in the mask, with steps where it is True.

    The padding of floats is noise around 100, that of integers random values of the array, that of
    flags False.
    """
    random = np.random.default_rng(2)
    rows = array[np.arange(len(mask)) % len(array)]
    if not _is_sequence(case, array):
        return rows
    shape = (*mask.shape, *array.shape[2:])
    if is_floating(array):
        padded = (100 + random.standard_normal(shape)).astype(array.dtype)
    elif array.dtype == bool:
        padded = np.zeros(shape, bool)
    else:
        padded = random.choice(array.ravel(), shape)
    for steps, real, row in zip(padded, mask, rows, strict=True):
        steps[real] = row[: real.sum()]
    return padded


def _nested_mask(case: Case, mask: np.ndarray) -> Nest:
    """Return the mask in the structure of the inputs, as Keras passes it: None if there is none."""
    return keras.tree.map_structure(
        lambda array: mask if _is_sequence(case, array) else None, case.inputs
    )


def _is_sequence(case: Case, array: np.ndarray) -> bool:
    return case.has_time(array) and array.shape[1] == case.length


def _take(output: Tensor, index: np.ndarray) -> Tensor:
    """Select the steps `index` (batch, steps) from output (batch, time, ...)."""
    wide = index.reshape(index.shape + (1,) * (len(output.shape) - 2))
    return keras.ops.take_along_axis(output, wide, axis=1)
