"""Traced: add the weightings of a memory's heads to its outputs."""

from typing import Any

import keras
from keras import ops

from seqkit.cells.cell import Cell
from seqkit.typing import Mask, Nest, Shape, Size, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class Traced(Cell):
    """Memory cell whose output also contains the weightings of its heads.

    Args:
        cell: A cell with `trace(states) -> {name: (batch, heads, slots)}`: `NTMCell`, `DNCCell`.

    Call arguments:
        inputs: As for the cell.
        states: As for the cell.

    Returns:
        The output [the cell's output, its trace], which `split` takes apart, and the new states.
        The trace has the dtype of the output.

    Raises:
        ValueError: If the cell has no `trace`.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, NTMCell
        >>> from seqkit.diagnostics import Traced
        >>> from keras.layers import Dense
        >>> traced = Traced(NTMCell(Dense(10), memory_size=16, word_size=4))
        >>> output, trace = traced.split(RNN(traced, return_sequences=True)(np.zeros((2, 5, 3))))
        >>> tuple(output.shape), tuple(trace["write_weighting"].shape)
        ((2, 5, 14), (2, 5, 1, 16))
    """

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        if not hasattr(cell, "trace"):
            raise ValueError(f"Traced: cell is {cell!r}; it must have trace(states), like NTMCell")
        kwargs.setdefault("dtype", cell.dtype_policy)
        super().__init__(**kwargs)
        self.cell = cell
        self.state_size = cell.state_size
        self.output_size = cell.output_size + sum(a * b for a, b in cell.trace_shapes.values())

    def build(self, input_shape: Shape) -> None:
        if not self.cell.built:  # already built when reloaded
            self.cell.build(input_shape)

    @property
    def input_size(self) -> int | None:
        return self.cell.input_size

    @property
    def is_stochastic(self) -> bool:
        return self.cell.is_stochastic

    @property
    def has_penalty(self) -> bool:
        return self.cell.has_penalty

    def get_initial_state(self, batch_size: Size = None) -> States:
        return self.cell.get_initial_state(batch_size)

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> Any:
        return self.cell.prepare(batch_size, constants, training)

    def project(self, inputs: Tensor, prepared: Any) -> Tensor:
        return self.cell.project(inputs, prepared)

    def step(self, projected: Tensor, states: States, prepared: Any) -> tuple[Tensor, States]:
        output, states = self.cell.step(projected, states, prepared)
        trace = [
            ops.cast(ops.reshape(v, (-1, v.shape[1] * v.shape[2])), output.dtype)
            for v in self.cell.trace(states).values()
        ]
        return ops.concatenate([output, *trace], axis=-1), states

    def penalty(self, outputs: Tensor, mask: Mask, prepared: Any) -> Tensor:
        return self.cell.penalty(outputs[..., : self.cell.output_size], mask, prepared)

    def split(self, outputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Split outputs into the cell's own (..., size), and name -> (..., heads, slots)."""
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
