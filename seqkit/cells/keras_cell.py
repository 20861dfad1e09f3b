"""Run cells that were written for `keras.layers.RNN` as seqkit runs its own."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras import ops

from seqkit.cells.cell import Cell
from seqkit.typing import Nest, States, Tensor


class KerasCell:
    """A Keras cell seen as a seqkit cell: all of it is `step`."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def prepare(self, batch_size: int | Tensor, constants: Nest, training: bool) -> dict:
        return {"training": training} if "training" in _arguments(self.cell.call) else {}

    def project(self, inputs: Tensor, prepared: dict) -> Tensor:
        _draw_dropout_masks(self.cell, inputs[0])
        return inputs

    def step(self, projected: Tensor, states: States, prepared: dict) -> tuple[Tensor, States]:
        output, states = self.cell(projected, states, **prepared)
        return output, list(states) if isinstance(states, (list, tuple)) else [states]

    def get_initial_state(self, batch_size: int | Tensor) -> States:
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size=batch_size)
        else:
            size = self.cell.state_size
            sizes = size if isinstance(size, (list, tuple)) else [size]
            states = [ops.zeros((batch_size, n), self.cell.compute_dtype) for n in sizes]
        return list(states) if isinstance(states, (list, tuple)) else [states]


@contextmanager
def as_seqkit_cell(cell: Any) -> Iterator[Tensor]:
    """The cell, or a view of a Keras cell, with `prepare`, `project` and `step`."""
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


def _draw_dropout_masks(cell: Any, inputs: Tensor) -> None:
    """Keras's cells keep their dropout masks on themselves: draw them before the loop is traced.

    inputs: (batch, features) of one step.
    """
    for c in _stack(cell):
        if hasattr(c, "get_dropout_mask"):
            state = c.get_initial_state(batch_size=ops.shape(inputs)[0])
            c.get_dropout_mask(inputs)
            c.get_recurrent_dropout_mask(state[0] if isinstance(state, (list, tuple)) else state)
        if hasattr(c, "output_size"):
            inputs = ops.zeros((ops.shape(inputs)[0], c.output_size), c.compute_dtype)


def _stack(cell: Any) -> list:
    """The cells of a `keras.layers.StackedRNNCells`, or the cell alone."""
    return list(getattr(cell, "cells", [cell]))


def _arguments(function: Any) -> Any:
    return inspect.signature(function).parameters
