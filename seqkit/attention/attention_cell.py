"""AttentionCell: a cell that reads a memory at each step (Deep Learning, 10.4)."""

from typing import Any, Literal, NamedTuple

import keras
from keras import ops, tree

from seqkit import backend
from seqkit.attention.attention import Attention, Memory
from seqkit.attention.scores import read
from seqkit.cells.affine import AffineCell
from seqkit.cells.cell import Cell
from seqkit.cells.stacked import StackedCells
from seqkit.checks import check_known, check_shape, invalid, is_shape, one_of
from seqkit.ops import compensated_add, precise_dtype
from seqkit.typing import Nest, Shape, Size, States, Tensor


class Prepared(NamedTuple):
    """Computed once per sequence, before the loop. Weights are read once, as in `AffineCell`."""

    cell: Nest
    memory: Memory
    parameters: dict  # of the attention
    C: Tensor | None  # None: only x enters the cell
    W_c: Tensor | None  # None: attend="before"
    group: Size  # rows that share a row of the memory; None: each has its own


class State(NamedTuple):
    """State of an `AttentionCell` after a step."""

    cell: States
    weights: Tensor  # a (batch, time of the memory)
    coverage: Tensor | None  # sum of all a so far (batch, time of the memory)
    attentional: Tensor | None  # h~ (batch, output size); None: attend="before"
    rounding: Tensor | None  # the rounding error of the coverage


@keras.saving.register_keras_serializable(package="seqkit")
class AttentionCell(Cell):
    """A cell with attention to a memory at each step.

    Before the step (Bahdanau), the query is the old state, and the context enters with x_t:

        a_t = attention(s_{t-1}, h),   c_t = sum_j a_tj h_j
        s_t = cell(x_t, s_{t-1}) with C c_t added to its U x_t                  (A.2.2)

    After it (Luong), the query is the new output; with input feeding, h~ enters the next step:

        s_t = cell(x_t, s_{t-1}) with C h~_{t-1} added to its U x_t             (3.3)
        a_t = attention(s_t, h),   c_t = sum_j a_tj h_j
        h~_t = tanh(W_c [c_t; s_t])                                             (5)

    Args:
        cell: An `AffineCell`, such as `GRUCell` or `LSTMCell`, or `StackedCells` of them: c_t (h~)
            enters the lowest, the query comes from the highest.
        attention: Such as `BahdanauAttention` or `LuongAttention`.
        attend: "before" or "after" the step of the cell.
        input_feeding: Whether h~_{t-1} enters the cell; only False with attend="after".

    Call arguments:
        inputs: (batch, features).
        states: Those of the cell, a (batch, time of the memory), for `CoverageAttention` the sum of
            all a so far, with attend="after" h~, and for `CoverageAttention` the rounding error of
            its sum.
        constants: The memory (batch, time, features), a pair of it and its mask (batch, time), or a
            `Memory`. Outside of training, and unless the attention has feedback, a row of it may
            serve several rows next to each other, such as the beams of a sequence.

    Returns:
        Output [s_t, c_t], or with attend="after" h~_t, which is as wide as s_t; new states.
        `attention_weights(states)` returns a_t, in float32 or more.

    Raises:
        ValueError: If cell, attention or `attend` is invalid, if dtype policies differ, if the
            memory is not (batch, time, features), or without constants, as in `keras.layers.RNN`.

    Masking:
        Of the memory, as in `Attention`. Dropout of the cell applies to x_t and its state, not to
        c_t or h~; layer_norm normalizes U x_t, without C c_t.

    Weights:
        context_kernel (C), with the blocks of the lowest cell's U; attentional_kernel (W_c).

    Source:
        Bahdanau et al. 2015, A.2.2; Luong et al. 2015, 3.1, 3.3.

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
        one_of("attend", attend, ("before", "after"), self)
        if attend == "before" and not input_feeding:
            raise ValueError(
                "AttentionCell: with attend='before' the context always enters the cell; "
                "input_feeding=False requires attend='after'"
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
        if attention.feedback == "coverage":
            self.state_size.append(None)
        if attend == "after":
            self.state_size.append(cell.output_size)
        if attention.feedback == "coverage":
            self.state_size.append(None)
        self._lowest = stack[0]
        self._query_index = len(cell.state_size) - len(stack[-1].state_size)  # the output's state

    @property
    def output_size(self) -> int:
        if self.attend == "after":
            return self.cell.output_size
        if not self.built:
            raise invalid(self, "the output size is unknown before it is built")
        return self.cell.output_size + self.memory_size

    @property
    def input_size(self) -> int | None:
        return self.cell.input_size

    @property
    def is_stochastic(self) -> bool:
        return self.cell.is_stochastic

    def build(self, input_shape: Shape, constants_shape: Nest = None) -> None:
        if constants_shape is None:
            raise _no_memory(self)
        shape = _values(self._unpack_memory(constants_shape, not is_shape(constants_shape)))
        check_shape("memory", shape, {"batch": None, "time": None, "features": None}, self)
        check_known("memory", shape, self)
        self.memory_size = shape[-1]
        size = self.cell.output_size
        if not self.cell.built:  # already built when reloaded
            self.cell.build(input_shape)
        if not self.attention.built:
            self.attention.build((None, size), (None, None, self.memory_size))
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

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        states_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
    ) -> tuple[Shape, list[Shape]]:
        if constants_shape is None:
            return super().compute_output_shape(inputs_shape)
        memory = self._unpack_memory(constants_shape, not is_shape(constants_shape))
        batch, time, features = _values(memory)
        size = self.cell.output_size + (features if self.attend == "before" else 0)
        states = [(batch, time if n is None else n) for n in self.state_size]
        return (batch, size), states

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> Prepared:
        """Prepare the cell, compute the keys of the memory, and read the weights."""
        memory = self._unpack_memory(constants)
        group = None if training or self.attention.feedback else _group(batch_size, memory)
        rows = batch_size if isinstance(batch_size, int) and group is None else None
        axes = {"batch": rows, "time": None, "features": self.memory_size}
        check_shape("memory", _values(memory), axes, self)
        memory = Memory(*memory) if len(memory) == 3 else self.attention.prepare(*memory)
        return Prepared(
            self.cell.prepare(batch_size, None, training),
            memory,
            self.attention.parameters(),
            backend.read(self.context_kernel) if self.input_feeding else None,
            backend.read(self.attentional_kernel) if self.attend == "after" else None,
            group,
        )

    def project(self, inputs: Tensor, prepared: Prepared) -> Tensor:
        """Compute U x + b of the lowest cell."""
        return self.cell.project(inputs, prepared.cell)

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        attend = self._attend_before if self.attend == "before" else self._attend_after
        output, state = attend(projected, self._unpack(states), prepared)
        return output, _pack(state)

    def _attend_before(
        self, projected: Tensor, state: State, prepared: Prepared
    ) -> tuple[Tensor, State]:
        state, c = self._read(state.cell[self._query_index], state, prepared)
        projected = projected + ops.matmul(c, prepared.C)
        s, cell = self.cell.step(projected, state.cell, prepared.cell)
        return ops.concatenate([s, c], axis=-1), state._replace(cell=cell)

    def _attend_after(
        self, projected: Tensor, state: State, prepared: Prepared
    ) -> tuple[Tensor, State]:
        if self.input_feeding:
            projected = projected + ops.matmul(state.attentional, prepared.C)
        s, cell = self.cell.step(projected, state.cell, prepared.cell)
        state, c = self._read(s, state, prepared)
        attentional = ops.tanh(ops.matmul(ops.concatenate([c, s], axis=-1), prepared.W_c))
        return attentional, state._replace(cell=cell, attentional=attentional)

    def _read(self, query: Tensor, state: State, prepared: Prepared) -> tuple[State, Tensor]:
        """Return the state with new attention weights, and the context."""
        if prepared.group is not None:
            return self._read_shared(query, state, prepared)
        previous = state.weights if state.coverage is None else state.coverage
        a = self.attention.compute_weights(query, prepared.memory, previous, prepared.parameters)
        state = state._replace(weights=a)
        if state.coverage is not None:
            coverage, rounding = compensated_add(state.coverage, state.rounding, a)
            state = state._replace(coverage=coverage, rounding=rounding)
        return state, read(a, prepared.memory.values)

    def _read_shared(self, query: Tensor, state: State, prepared: Prepared) -> tuple[State, Tensor]:
        """Read a memory whose rows serve a group of rows each: one product per row of memory."""
        memory, (rows, size) = prepared.memory, ops.shape(query)
        query = ops.reshape(query, (ops.shape(memory.mask)[0], prepared.group, size))
        a = self.attention.compute_weights(query, memory, None, prepared.parameters)
        c = ops.reshape(read(a, memory.values), (rows, self.memory_size))
        return state._replace(weights=ops.reshape(a, (rows, ops.shape(a)[-1]))), c

    def _unpack(self, states: States) -> State:
        k = len(self.cell.state_size)
        weights, *rest = states[k:]
        coverage = rounding = None
        if self.attention.feedback == "coverage":
            coverage, *rest, rounding = rest
        return State(states[:k], weights, coverage, rest[0] if rest else None, rounding)

    def get_initial_state(self, batch_size: Size = None, constants: Nest = None) -> States:
        """Return the initial state of the cell, with attention weights of zero."""
        return self.initial_state(self.cell.get_initial_state(batch_size), constants)

    def initial_state(self, states: States, constants: Nest) -> States:
        """Return the initial state given that of the cell, such as an encoder's via a `Bridge`.

        Example:
            >>> import numpy as np
            >>> from seqkit import GRUCell
            >>> from seqkit.attention import AttentionCell, LuongAttention
            >>> cell = AttentionCell(GRUCell(4), LuongAttention(), attend="after")
            >>> [tuple(s.shape) for s in cell.initial_state([np.ones((2, 4))], np.zeros((2, 7, 4)))]
            [(2, 4), (2, 7), (2, 4)]
        """
        if constants is None:
            raise _no_memory(self)
        memory = _values(self._unpack_memory(constants))
        check_shape("memory", memory, {"batch": None, "time": None, "features": None}, self)
        zeros = ops.zeros_like(memory[:, :, 0], dtype=precise_dtype(self))
        coverage = zeros if self.attention.feedback == "coverage" else None
        query = states[self._query_index]
        attentional = ops.zeros_like(query) if self.attend == "after" else None
        return _pack(State(states, zeros, coverage, attentional, coverage))

    def _unpack_memory(self, constants: Nest, is_nested: bool | None = None) -> tuple:
        """Return (memory,), (memory, mask) or the parts of a `Memory`, of tensors or of shapes."""
        if is_nested is None:
            is_nested = tree.is_nested(constants)
        if not is_nested:
            return (constants,)
        if not isinstance(constants, (list, tuple)) or len(constants) not in (1, 2, 3):
            raise invalid(
                self,
                f"constants are a {type(constants).__name__} of {len(constants)}; they must be a "
                "memory, (memory, mask), or the result of attention.prepare(memory, mask)",
            )
        return tuple(constants)

    def attention_weights(self, states: States) -> Tensor:
        """Return a_t (batch, time of the memory) of the step that returned these states."""
        return states[len(self.cell.state_size)]


def _pack(state: State) -> States:
    return [*state.cell, *(part for part in state[1:] if part is not None)]


def _values(memory: tuple) -> Tensor | Shape:
    """Return the values among the parts of a memory."""
    return memory[1 if len(memory) == 3 else 0]


def _group(batch_size: Size, memory: tuple) -> Size:
    """Return how many rows share a row of the memory; None: each has its own, or it is an error."""
    rows = ops.shape(_values(memory))[0]
    if isinstance(rows, int) and isinstance(batch_size, int):
        return batch_size // rows if rows and batch_size > rows and not batch_size % rows else None
    if not ops.is_tensor(rows):  # a symbolic size of JAX, which can be compared, but not computed
        return None if rows == batch_size else batch_size // rows
    return batch_size // ops.maximum(rows, 1)


def _no_memory(cell: AttentionCell) -> ValueError:
    return invalid(
        cell,
        "needs a memory: run it in seqkit.RNN with constants=memory or (memory, mask); "
        "keras.layers.RNN does not pass constants on",
    )
