"""Adapter for cells that were written for `keras.layers.RNN`."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops

from seqkit.cells.cell import Cell
from seqkit.typing import Nest, Size, States, Tensor


class KerasCell:
    """Keras cell with the methods of a seqkit cell; all computation is in `step`."""

    def __init__(self, cell: keras.layers.Layer) -> None:
        self.cell = cell

    def prepare(self, batch_size: Size, constants: Nest, training: bool) -> dict:
        return (
            {"training": training}
            if "training" in inspect.signature(self.cell.call).parameters
            else {}
        )

    def project(self, inputs: Tensor, prepared: dict) -> Tensor:
        # Zeros in the shape of a step: there is no inputs[0] in an empty sequence.
        _draw_dropout_masks(self.cell, ops.zeros(ops.shape(inputs)[1:], inputs.dtype))
        return inputs

    def step(self, projected: Tensor, states: States, prepared: dict) -> tuple[Tensor, States]:
        output, states = self.cell(projected, states, **prepared)
        return output, list(states) if isinstance(states, (list, tuple)) else [states]

    def get_initial_state(self, batch_size: Size) -> States:
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size=batch_size)
        else:
            size = self.cell.state_size
            sizes = size if isinstance(size, (list, tuple)) else [size]
            states = [ops.zeros((batch_size, n), self.cell.compute_dtype) for n in sizes]
        return list(states) if isinstance(states, (list, tuple)) else [states]


@contextmanager
def as_seqkit_cell(cell: keras.layers.Layer) -> Iterator[Cell | KerasCell]:
    """Yield the cell itself, or a Keras cell with `prepare`, `project` and `step` added."""
    if isinstance(cell, Cell):
        yield cell
        return
    try:
        yield KerasCell(cell)
    finally:
        for c in _stack(cell):
            if hasattr(c, "reset_dropout_mask"):
                c.reset_dropout_mask()
                c.reset_recurrent_dropout_mask()


def _draw_dropout_masks(cell: keras.layers.Layer, inputs: Tensor) -> None:
    """Draw the dropout masks, which Keras's cells keep as attributes, before the loop is traced.

    Args:
        cell: A Keras cell.
        inputs: (batch, features), of one step.
    """
    for c in _stack(cell):
        if hasattr(c, "get_dropout_mask"):
            state = c.get_initial_state(batch_size=ops.shape(inputs)[0])
            c.get_dropout_mask(inputs)
            c.get_recurrent_dropout_mask(state[0] if isinstance(state, (list, tuple)) else state)
        if hasattr(c, "output_size"):
            inputs = ops.zeros((ops.shape(inputs)[0], c.output_size), c.compute_dtype)


def _stack(cell: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the cells of a `keras.layers.StackedRNNCells`, or the cell alone."""
    return list(getattr(cell, "cells", [cell]))
