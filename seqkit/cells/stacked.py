"""StackedCells: a deep recurrence as one cell (Deep Learning, figure 10.13a)."""

from typing import Any

import keras

from seqkit.cells.cell import Cell, output_size, state_sizes
from seqkit.cells.recurrence import Flow
from seqkit.typing import Mask, Nest, Shape, Size, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class StackedCells(Cell):
    """Cells on top of each other, each fed with the output of the one below at the same time step.

    A stack of `RNN` layers computes the same and is faster, since each of them projects its inputs
    for all steps at once; a stack of cells is for where a single cell is required (a decoder).

    Args:
        cells: Seqkit cells of the same dtype policy, the lowest first.

    Call arguments:
        inputs: (batch, features).
        states: The states of the first cell, then those of the second, ...

    Returns:
        The output of the highest cell, and the new states in the order of the old ones.

    Raises:
        ValueError: If there are no cells, one is not a seqkit cell, policies differ, or a cell
            below the highest has a penalty.

    Source:
        Goodfellow et al. 2016, 10.5; Graves et al. 2013.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, GRUCell, LSTMCell, StackedCells
        >>> rnn = RNN(StackedCells([LSTMCell(4), GRUCell(3)]), return_state=True)
        >>> [tuple(v.shape) for v in rnn(np.zeros((2, 5, 6)))]
        [(2, 3), (2, 4), (2, 4), (2, 3)]
    """

    def __init__(self, cells: list[Cell], **kwargs: Any) -> None:
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(
                f"StackedCells takes a list of seqkit cells, at least one; got {cells!r}"
            )
        for k, cell in enumerate(cells):
            if not isinstance(cell, Cell):
                raise ValueError(
                    f"StackedCells: cells[{k}] is {cell!r}; it must be a seqkit cell, such as "
                    "seqkit.LSTMCell(units); keras.layers.StackedRNNCells stacks cells of Keras"
                )
        policies = sorted({cell.dtype_policy.name for cell in cells})
        if len(policies) > 1:
            raise ValueError(f"StackedCells takes cells of one dtype policy; got {policies}")
        if any(cell.has_penalty for cell in cells[:-1]):
            raise ValueError(
                "StackedCells: only the highest cell can have a penalty, since the outputs of the "
                "others are not kept; wrap each of them in its own RNN"
            )
        kwargs.setdefault("dtype", cells[0].dtype_policy)
        super().__init__(**kwargs)
        self.cells = list(cells)
        self.state_size = [n for cell in cells for n in state_sizes(cell)]
        self.output_size = output_size(cells[-1])

    def build(self, input_shape: Shape, constants_shape: Nest = None) -> None:
        for cell in self.cells:
            if not cell.built:  # already built when reloaded
                extra = {"constants_shape": constants_shape} if cell.reads_constants else {}
                cell.build(input_shape, **extra)
            input_shape = (input_shape[0], output_size(cell))

    @property
    def input_size(self) -> int | None:
        return self.cells[0].input_size

    @property
    def is_stochastic(self) -> bool:
        return any(cell.is_stochastic for cell in self.cells)

    @property
    def has_penalty(self) -> bool:
        return self.cells[-1].has_penalty

    @property
    def reads_constants(self) -> bool:
        return any(cell.reads_constants for cell in self.cells)

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> list:
        return [
            cell.prepare(batch_size, constants if cell.reads_constants else None, training)
            for cell in self.cells
        ]

    def project(self, inputs: Tensor, prepared: list) -> Tensor:
        return self.cells[0].project(inputs, prepared[0])

    def unfolds(self, flow: Flow, training: bool = False) -> bool:
        return all(cell.unfolds(flow, training) for cell in self.cells)

    def unfold(
        self, projected: Tensor, states: States, flow: Flow, prepared: list
    ) -> tuple[Tensor, Tensor, States]:
        """Run each cell over all steps before the next one, since none reads the one above it."""
        initial, new_states = list(flow.initial or []), []
        outputs = last = None
        for k, cell in enumerate(self.cells):
            x = projected if k == 0 else cell.project(outputs, prepared[k])
            count = len(state_sizes(cell))
            own_flow = flow._replace(initial=initial[:count] or None)
            outputs, last, own = cell.unfold(x, states[:count], own_flow, prepared[k])
            states, initial = states[count:], initial[count:]
            new_states += own
        return outputs, last, new_states

    def step(self, projected: Tensor, states: States, prepared: list) -> tuple[Tensor, States]:
        states = list(states)
        new_states = []
        output = None
        for k, cell in enumerate(self.cells):
            x = projected if k == 0 else cell.project(output, prepared[k])
            count = len(state_sizes(cell))
            own, states = states[:count], states[count:]
            output, own = cell.step(x, own, prepared[k])
            new_states += own
        return output, new_states

    def penalty(self, outputs: Tensor, mask: Mask, prepared: list) -> Tensor:
        return self.cells[-1].penalty(outputs, mask, prepared[-1])

    def get_initial_state(self, batch_size: Size = None, constants: Nest = None) -> States:
        states = []
        for cell in self.cells:
            extra = (constants,) if cell.reads_constants else ()
            states += cell.get_initial_state(batch_size, *extra)
        return states
