"""AttentionCell: a cell that looks at a memory at each step (Deep Learning, 10.4)."""

from typing import Any, Literal, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.attention.attention import Attention, Memory
from seqkit.attention.scores import read
from seqkit.cells.affine import AffineCell
from seqkit.cells.cell import Cell
from seqkit.cells.stacked import StackedCells
from seqkit.typing import Nest, Shape, States, Tensor


class Prepared(NamedTuple):
    """What holds for a whole sequence. Weights are read once, as in `AffineCell`."""

    cell: Tensor
    memory: Memory
    parameters: dict  # of the attention
    C: Tensor  # None: nothing but x enters the cell
    W_c: Tensor  # None: attend="before"


@keras.saving.register_keras_serializable(package="seqkit")
class AttentionCell(Cell):
    """A cell that chooses at each step what to read of a memory.

    Before the step (Bahdanau), the old state asks, and what it reads enters with x_t:

        a_t = attention(s_{t-1}, h),   c_t = sum_j a_tj h_j
        s_t = cell(x_t, s_{t-1}) with C c_t added to its U x_t                  (A.2.2)

    After it (Luong), the new output asks; input feeding tells the next step what became of it:

        s_t = cell(x_t, s_{t-1}) with C h~_{t-1} added to its U x_t             (3.3)
        a_t = attention(s_t, h),   c_t = sum_j a_tj h_j
        h~_t = tanh(W_c [c_t; s_t])                                             (5)

    Args:
        cell: an `AffineCell`, such as `GRUCell` or `LSTMCell`, or `StackedCells` of them: c_t (h~)
            enters the lowest, and the highest asks.
        attention: such as `BahdanauAttention` or `LuongAttention`.
        attend: "before" or "after" the step of the cell.
        input_feeding: attend="after" alone: whether h~_{t-1} enters.

    Call arguments:
        inputs (batch, features); states: the cell's, a (batch, time of the memory), for
        `CoverageAttention` the sum of all a so far, and with attend="after" h~. Constants: the
        memory (batch, time, features), a pair of it and its mask (batch, time), or a `Memory`.

    Returns:
        output [s_t, c_t], or with attend="after" h~_t, which is as wide as s_t; new states.
        `attention_weights(states)` gives a_t, in float32 or more.

    Weights:
        context_kernel (C), with the blocks of the lowest cell's U; attentional_kernel (W_c).

    Masking:
        of the memory, as `Attention` says. Dropout of the cell falls on x_t and its state, not on
        c_t or h~; layer_norm normalises U x_t, without C c_t.

    Raises:
        ValueError: for another cell, attention or `attend`, for one dtype policy beside another,
            without constants, or in `keras.layers.RNN`, which has none.

    Source:
        Bahdanau et al. 2015, A.2.2; Luong et al. 2015, 3.1, 3.3.

    Deviations:
        none.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, GRUCell
        >>> from seqkit.attention import AttentionCell, BahdanauAttention
        >>> decoder = RNN(AttentionCell(GRUCell(3), BahdanauAttention(8)), return_sequences=True)
        >>> memory, mask = np.zeros((2, 7, 4)), np.ones((2, 7), bool)
        >>> tuple(decoder(np.zeros((2, 5, 6)), constants=(memory, mask)).shape)
        (2, 5, 7)
    """

    reads_constants = True

    def __init__(
        self,
        cell: Cell,
        attention: Attention,
        attend: Literal["before", "after"] = "before",
        input_feeding: bool = True,
        **kwargs: Any,
    ) -> None:
        stack = cell.cells if isinstance(cell, StackedCells) else [cell]
        if not all(isinstance(c, AffineCell) for c in stack):
            raise ValueError(
                f"AttentionCell: cell is {cell!r}; it must be an AffineCell, such as GRUCell, or "
                "StackedCells of them"
            )
        if not isinstance(attention, Attention):
            raise ValueError(
                f"AttentionCell: attention is {attention!r}; it must be one of seqkit.attention, "
                "such as BahdanauAttention"
            )
        if attend not in ("before", "after"):
            raise ValueError(f"AttentionCell: attend is {attend!r}; it is 'before' or 'after'")
        if attend == "before" and not input_feeding:
            raise ValueError(
                "AttentionCell: with attend='before' what is read always enters the cell; "
                "input_feeding=False is for attend='after'"
            )
        policies = [layer.dtype_policy.name for layer in (cell, attention)]
        if policies[0] != policies[1]:
            raise ValueError(
                f"AttentionCell takes a cell and an attention of one dtype policy; got {policies}"
            )
        kwargs.setdefault("dtype", cell.dtype_policy)
        super().__init__(**kwargs)
        self.cell = cell
        self.attention = attention
        self.attend = attend
        self.input_feeding = input_feeding
        self.state_size = [*cell.state_size, None]
        if attention.carries == "coverage":
            self.state_size.append(None)
        if attend == "after":
            self.state_size.append(cell.output_size)
        self._lowest = stack[0]
        self._asks = len(cell.state_size) - len(stack[-1].state_size)  # which state is its output

    @property
    def output_size(self) -> int:
        if self.attend == "after":
            return self.cell.output_size
        if not self.built:
            raise ValueError(f"{self.name}: its output's size is known once it has met a memory")
        return self.cell.output_size + self.memory_size

    @property
    def is_stochastic(self) -> bool:
        return self.cell.is_stochastic

    def build(self, input_shape: Shape, constants_shape: Nest = None) -> None:
        if constants_shape is None:
            raise ValueError(_no_memory(self))
        shapes = _parts(constants_shape, constants_shape[0])
        self.memory_size = shapes[1 if len(shapes) == 3 else 0][-1]
        size = self.cell.output_size
        if not self.cell.built:  # a reloaded one is
            self.cell.build(input_shape)
            self.cell.built = True
        if not self.attention.built:
            self.attention.build((None, size), (None, None, self.memory_size))
            self.attention.built = True
        if self.input_feeding:
            self.context_kernel = self.add_weight(
                shape=(
                    self.memory_size if self.attend == "before" else size,
                    self._lowest.blocks * self._lowest.units,
                ),
                name="context_kernel",
            )
        if self.attend == "after":
            self.attentional_kernel = self.add_weight(
                shape=(self.memory_size + size, size), name="attentional_kernel"
            )

    def prepare(
        self, batch_size: int | Tensor, constants: Nest = None, training: bool = False
    ) -> Prepared:
        """What holds for the cell, the memory's keys, and the weights."""
        memory = _parts(constants, constants)
        memory = Memory(*memory) if len(memory) == 3 else self.attention.prepare(*memory)
        return Prepared(
            self.cell.prepare(batch_size, None, training),
            memory,
            self.attention.parameters(),
            backend.read(self.context_kernel) if self.input_feeding else None,
            backend.read(self.attentional_kernel) if self.attend == "after" else None,
        )

    def project(self, inputs: Tensor, prepared: Prepared) -> Tensor:
        """U x + b of the lowest cell."""
        return self.cell.project(inputs, prepared.cell)

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        k = len(self.cell.state_size)
        inner, (a, *rest) = states[:k], states[k:]
        coverage = rest[:1] if self.attention.carries == "coverage" else []
        previous = coverage[0] if coverage else a

        def look(s: Tensor) -> tuple[Tensor, Tensor]:
            a = self.attention.compute_weights(s, prepared.memory, previous, prepared.parameters)
            return a, read(a, prepared.memory.values)

        if self.attend == "before":
            a, c = look(inner[self._asks])
            s, inner = self.cell.step(projected + ops.matmul(c, prepared.C), inner, prepared.cell)
            output, attentional = ops.concatenate([s, c], axis=-1), []
        else:
            if self.input_feeding:
                projected = projected + ops.matmul(rest[-1], prepared.C)
            s, inner = self.cell.step(projected, inner, prepared.cell)
            a, c = look(s)
            output = ops.tanh(ops.matmul(ops.concatenate([c, s], axis=-1), prepared.W_c))
            attentional = [output]
        return output, [*inner, a, *(sum_ + a for sum_ in coverage), *attentional]

    def get_initial_state(
        self, batch_size: int | Tensor | None = None, constants: Nest = None
    ) -> States:
        """The cell's own; it has looked nowhere yet."""
        return self.initial_state(self.cell.get_initial_state(batch_size), constants)

    def initial_state(self, states: States, constants: Nest) -> States:
        """The first state, given the cell's own part of it: an encoder's last, over a `Bridge`.

        Example:
            >>> import numpy as np
            >>> from seqkit import GRUCell
            >>> from seqkit.attention import AttentionCell, LuongAttention
            >>> cell = AttentionCell(GRUCell(4), LuongAttention(), attend="after")
            >>> [tuple(s.shape) for s in cell.initial_state([np.ones((2, 4))], np.zeros((2, 7, 4)))]
            [(2, 4), (2, 7), (2, 4)]
        """
        if constants is None:
            raise ValueError(_no_memory(self))
        states = list(states)
        memory = _parts(constants, constants)
        memory = memory[1 if len(memory) == 3 else 0]
        precise = "float64" if self.compute_dtype == "float64" else "float32"
        nowhere = ops.zeros_like(memory[:, :, 0], dtype=precise)
        times = 2 if self.attention.carries == "coverage" else 1
        first = [ops.zeros_like(states[self._asks])] if self.attend == "after" else []
        return [*states, *[nowhere] * times, *first]

    def attention_weights(self, states: States) -> Tensor:
        """a_t (batch, time of the memory), where the step that led to these states looked."""
        return states[len(self.cell.state_size)]


def _parts(constants: Nest, is_nested: Any) -> tuple:
    """(memory,), (memory, mask) or a `Memory`, of tensors or of their shapes."""
    return tuple(constants) if isinstance(is_nested, (tuple, list)) else (constants,)


def _no_memory(cell: AttentionCell) -> str:
    return (
        f"{cell.name} looks at a memory: run it in seqkit.RNN with constants=memory or (memory, "
        "mask); keras.layers.RNN hands on no constants"
    )
