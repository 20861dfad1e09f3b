"""MemoryCell: base class of the cells with an explicit memory (Deep Learning, 10.12)."""

import itertools
import math
from typing import Any, NamedTuple

import keras
from keras import ops, tree

from seqkit import backend
from seqkit.cells.cell import Cell
from seqkit.cells.recurrence import Flow
from seqkit.checks import check_known, check_shape, positive
from seqkit.memory.controller import Controller
from seqkit.ops import where_rows
from seqkit.typing import Nest, Shape, Size, States, Tensor


class Prepared(NamedTuple):
    """Computed once per sequence, before the loop. Weights are read once, as in `AffineCell`."""

    controller: Nest
    kernel: Tensor  # (controller's output, width of the interface)
    bias: Tensor  # (width of the interface,)


class MemoryCell(Cell):
    """A controller that accesses a memory through an interface vector.

    Subclasses define the shapes, without the batch, of their states and of the parts of the
    interface (`state_shapes`, `interface_shapes`: a NamedTuple each; the interface may be nested),
    `initial_state` and `access`. States are flat outside the cell and have these shapes inside. All
    but the controller computes in float32, or float64 if that is the policy: in 16 bits, repeated
    writes lose the content.

    Args:
        controller: A seqkit cell, or a layer with `units`.
        memory_size: Number of slots, > 0.
        word_size: Size of a slot, > 0.
        num_reads: Number of words read at a step, > 0.

    Raises:
        ValueError: If a size is not positive.
    """

    traced: tuple[str, ...] = (
        "read_weighting",
        "write_weighting",
    )  # fields of the state that `trace` returns

    def __init__(
        self,
        controller: keras.layers.Layer,
        memory_size: int = 128,
        word_size: int = 20,
        num_reads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.controller = controller
        self.memory_size = positive("memory_size", memory_size, self)
        self.word_size = positive("word_size", word_size, self)
        self.num_reads = positive("num_reads", num_reads, self)
        self._control = Controller(controller, self)

    @property
    def memory_dtype(self) -> str:
        return "float64" if self.compute_dtype == "float64" else "float32"

    def state_shapes(self) -> NamedTuple:
        """Return the shapes of the states without the controller's; the last are the words read."""
        raise NotImplementedError

    def interface_shapes(self) -> NamedTuple:
        """Return the shapes (heads, size) of the parts of the interface."""
        raise NotImplementedError

    def initial_interface_bias(self) -> NamedTuple:
        """Return the initial bias of each part of the interface, by default zeros."""
        return tree.map_shape_structure(
            lambda shape: ops.zeros(shape, self.memory_dtype), self.interface_shapes()
        )

    def initial_state(self) -> NamedTuple:
        """Return the state of a row before the first step, by default zeros."""
        shapes = self.state_shapes()
        return type(shapes)(*(ops.zeros(shape, self.memory_dtype) for shape in shapes))

    def access(self, interface: NamedTuple, state: NamedTuple) -> NamedTuple:
        """Return the state after a step of the memory; the interface is unbounded."""
        raise NotImplementedError

    @property
    def trace_shapes(self) -> dict[str, tuple[int, int]]:
        """Heads and slots of each result of `trace`."""
        shapes = self.state_shapes()._asdict()
        return {name: shapes[name] for name in self.traced}

    def trace(self, states: States) -> dict[str, Tensor]:
        """Return the traced fields of the states by name, (batch, heads, slots) each."""
        _, state = self.unpack(states)
        return {name: getattr(state, name) for name in self.traced}

    @property
    def state_size(self) -> list[int]:
        return [*self._control.state_size, *(math.prod(s) for s in self.state_shapes())]

    @property
    def output_size(self) -> int:
        return self._control.output_size + self.num_reads * self.word_size

    @property
    def is_stochastic(self) -> bool:
        return self._control.is_stochastic

    def build(self, input_shape: Shape) -> None:
        check_shape("inputs", input_shape, {"batch": None, "features": None}, self)
        check_known("inputs", input_shape, self)
        self.input_size = input_shape[-1]
        self._control.build((input_shape[0], input_shape[-1] + self.num_reads * self.word_size))
        width = sum(self._interface_sizes())
        precise = {"dtype": self.memory_dtype, "autocast": False}
        self.interface_kernel = self.add_weight(
            shape=(self._control.output_size, width), name="interface_kernel", **precise
        )
        self.interface_bias = self.add_weight(
            shape=(width,), initializer=self._initial_bias, name="interface_bias", **precise
        )

    def _initial_bias(self, shape: tuple, dtype: str | None = None) -> Tensor:
        parts = [ops.reshape(part, (-1,)) for part in tree.flatten(self.initial_interface_bias())]
        return ops.cast(ops.concatenate(parts), dtype or self.memory_dtype)

    def get_initial_state(self, batch_size: Size = None) -> States:
        """Return the initial states of the controller, then those of `initial_state`."""
        rows = [ops.tile(ops.reshape(v, (1, -1)), (batch_size, 1)) for v in self.initial_state()]
        return self._control.get_initial_state(batch_size) + rows

    def unpack(self, states: States) -> tuple[list, NamedTuple]:
        """Return the controller's states, and the others in their shapes."""
        k, shapes = len(self._control.state_size), self.state_shapes()
        shaped = (
            ops.reshape(ops.cast(v, self.memory_dtype), (-1, *shape))
            for v, shape in zip(states[k:], shapes, strict=True)
        )
        return list(states[:k]), type(shapes)(*shaped)

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> Prepared:
        return Prepared(
            self._control.prepare(batch_size, training),
            backend.read(self.interface_kernel),
            backend.read(self.interface_bias),
        )

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        output, control, state = self._advance(projected, *self.unpack(states), prepared)
        return output, [*control, *map(_flat, state)]

    def unfolds(self, flow: Flow, training: bool = False) -> bool:
        return flow.restart is None

    def unfold(
        self, projected: Tensor, states: States, flow: Flow, prepared: Prepared
    ) -> tuple[Tensor, Tensor, States]:
        """Run the steps as in a loop over `step`, but faster: states keep their shapes.

        XLA would compute a state flattened to (batch, slots^2) one element at a time, with
        divisions to find its row and column.
        """
        control, state = self.unpack(states)
        mask = flow.mask
        zeros = ops.zeros((ops.shape(projected)[1], self.output_size), self.compute_dtype)

        def step(before: tuple, now: dict) -> tuple[tuple, Tensor]:
            _, *memory = before
            after = self._advance(now["projected"], *memory, prepared)
            if mask is not None:
                after = where_rows(now["mask"], after, before)
            return after, after[0]

        sequence = {"projected": projected} | ({} if mask is None else {"mask": mask})
        (last, control, state), outputs = backend.scan(step, (zeros, control, state), sequence)
        return outputs, last, [*control, *map(_flat, state)]

    def _advance(
        self, projected: Tensor, control: list, state: NamedTuple, prepared: Prepared
    ) -> tuple[Tensor, list, NamedTuple]:
        """Run one step and return the output, and the states in their shapes."""
        reads = _flat(state[-1])
        controller_inputs = ops.concatenate([projected, ops.cast(reads, projected.dtype)], axis=-1)
        h, control = self._control.step(controller_inputs, control, prepared.controller)
        state = self.access(self.interface(h, prepared), state)
        output = [ops.cast(part, self.compute_dtype) for part in (h, _flat(state[-1]))]
        return ops.concatenate(output, axis=-1), control, state

    def interface(self, h: Tensor, prepared: Prepared) -> NamedTuple:
        """Compute the interface, an affine function of the controller's output h (batch, size)."""
        h = ops.cast(h, self.memory_dtype)
        return self.split_interface(ops.matmul(h, prepared.kernel) + prepared.bias)

    def split_interface(self, interface: Tensor) -> NamedTuple:
        """Split the interface vector (batch, width) into its parts, in their shapes."""
        ends = list(itertools.accumulate(self._interface_sizes()))[:-1]
        parts = iter(ops.split(interface, ends, axis=-1))
        return tree.map_shape_structure(
            lambda shape: ops.reshape(next(parts), (-1, *shape)), self.interface_shapes()
        )

    def _interface_sizes(self) -> list[int]:
        return tree.flatten(tree.map_shape_structure(math.prod, self.interface_shapes()))


def _flat(v: Tensor) -> Tensor:
    """Reshape (batch, a, b) -> (batch, a b)."""
    return ops.reshape(v, (-1, v.shape[1] * v.shape[2]))
