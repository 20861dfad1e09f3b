"""Traced: show where the heads of a memory look."""

from typing import Any

import keras
from keras import ops

from seqkit.cells.cell import Cell


@keras.saving.register_keras_serializable(package="seqkit")
class Traced(Cell):
    """A memory cell whose output also tells where its heads look.

    Args:
        cell: a cell with `trace(states) -> {name: (batch, heads, slots)}`: `NTMCell`, `DNCCell`.
    Call: inputs and states of the cell.
    Returns: output [the cell's, its trace], which `split` takes apart; new states. The trace comes
        in the dtype of the output.
    Raises: ValueError if the cell has no `trace`.

    >>> import numpy as np
    >>> from seqkit import RNN, NTMCell
    >>> from seqkit.memory import Traced
    >>> from keras.layers import Dense
    >>> traced = Traced(NTMCell(Dense(10), memory_size=16, word_size=4))
    >>> output, trace = traced.split(RNN(traced, return_sequences=True)(np.zeros((2, 5, 3))))
    >>> tuple(output.shape), tuple(trace["write_weighting"].shape)
    ((2, 5, 14), (2, 5, 1, 16))
    """

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        if not hasattr(cell, "trace"):
            raise ValueError(f"Traced: cell is {cell!r}; it must have trace(states), as NTMCell")
        kwargs.setdefault("dtype", cell.dtype_policy)
        super().__init__(**kwargs)
        self.cell = cell
        self.state_size = cell.state_size
        self.output_size = cell.output_size + sum(a * b for a, b in cell.trace_shapes.values())

    def build(self, input_shape: tuple) -> None:
        if not self.cell.built:  # a reloaded one is
            self.cell.build(input_shape)
            self.cell.built = True

    @property
    def draws_once(self) -> bool:
        return self.cell.draws_once

    @property
    def penalized(self) -> bool:
        return self.cell.penalized

    def get_initial_state(self, batch_size: Any = None) -> list:
        return self.cell.get_initial_state(batch_size)

    def begin(self, batch_size: Any, constants: Any = None, training: bool = False) -> Any:
        return self.cell.begin(batch_size, constants, training)

    def project(self, inputs: Any, ctx: Any) -> Any:
        return self.cell.project(inputs, ctx)

    def step(self, projected: Any, states: list, ctx: Any) -> tuple[Any, list]:
        output, states = self.cell.step(projected, states, ctx)
        trace = [
            ops.cast(ops.reshape(v, (-1, v.shape[1] * v.shape[2])), output.dtype)
            for v in self.cell.trace(states).values()
        ]
        return ops.concatenate([output, *trace], axis=-1), states

    def penalty(self, outputs: Any, mask: Any, ctx: Any) -> Any:
        return self.cell.penalty(outputs[..., : self.cell.output_size], mask, ctx)

    def split(self, outputs: Any) -> tuple[Any, dict[str, Any]]:
        """The cell's own outputs (..., size), and name -> (..., heads, slots)."""
        shapes = self.cell.trace_shapes
        ends, end = [], self.cell.output_size
        for a, b in shapes.values():
            ends.append(end)
            end += a * b
        outputs, *flat = ops.split(outputs, ends, axis=-1)
        leading = ops.shape(outputs)[:-1]
        return outputs, {
            name: ops.reshape(v, (*leading, *shape))
            for v, (name, shape) in zip(flat, shapes.items(), strict=True)
        }
