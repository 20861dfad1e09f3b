"""MemoryCell: what the cells with an explicit memory share (Deep Learning, 10.12)."""

import itertools
import math
from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.cells.cell import Cell
from seqkit.checks import positive
from seqkit.memory.controller import Controller
from seqkit.ops import where_rows
from seqkit.typing import Nest, Shape, States, Tensor


class MemoryCell(Cell):
    """A controller, what it says to its memory, and states that are flat outside, shaped inside.

    Subclasses give the shapes, without the batch, of their states and of what the controller says
    (`state_shapes`, `interface_shapes`: a NamedTuple each), and write `initial_state` and `access`.
    All but the controller computes in float32, or float64 if that is the policy: in 16 bits, what
    is written over and over would fade.

    Args:
        controller: a seqkit cell, or a layer with `units`.
        memory_size: slots, > 0.   word_size: size of each, > 0.
        num_reads: words that are read at a step, > 0.

    Raises:
        ValueError: if a size is not positive.
    """

    traced: tuple[str, ...] = ("read_weighting", "write_weighting")  # of the states, by `trace`

    def __init__(
        self,
        controller: keras.layers.Layer,
        memory_size: int,
        word_size: int,
        num_reads: int,
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
        """Shapes of the states, but for the controller's; the last are the words read."""
        raise NotImplementedError

    def interface_shapes(self) -> NamedTuple:
        """Shapes of what the controller says, each (heads, size)."""
        raise NotImplementedError

    def initial_interface_bias(self) -> NamedTuple:
        """The bias of each part before training, by default zeros."""
        shapes = self.interface_shapes()
        return type(shapes)(*(ops.zeros(shape, self.memory_dtype) for shape in shapes))

    def initial_state(self) -> NamedTuple:
        """The state of a row before the first step, by default zeros."""
        shapes = self.state_shapes()
        return type(shapes)(*(ops.zeros(shape, self.memory_dtype) for shape in shapes))

    def access(self, said: NamedTuple, state: NamedTuple) -> NamedTuple:
        """A step of the memory: what the controller says (unbounded) and the state -> new state."""
        raise NotImplementedError

    @property
    def trace_shapes(self) -> dict[str, tuple[int, int]]:
        """Heads and slots of what `trace` tells."""
        shapes = self.state_shapes()._asdict()
        return {name: shapes[name] for name in self.traced}

    def trace(self, states: States) -> dict[str, Tensor]:
        """Where the heads look: name -> (batch, heads, slots)."""
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
        self._control.build((input_shape[0], input_shape[-1] + self.num_reads * self.word_size))
        width = sum(math.prod(s) for s in self.interface_shapes())
        precise = {"dtype": self.memory_dtype, "autocast": False}
        self.interface_kernel = self.add_weight(
            shape=(self._control.output_size, width), name="interface_kernel", **precise
        )
        self.interface_bias = self.add_weight(
            shape=(width,), initializer=self._initial_bias, name="interface_bias", **precise
        )

    def _initial_bias(self, shape: tuple, dtype: str | None = None) -> Tensor:
        parts = [ops.reshape(part, (-1,)) for part in self.initial_interface_bias()]
        return ops.cast(ops.concatenate(parts), dtype or self.memory_dtype)

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> States:
        """The controller's own, then those of `initial_state`."""
        rows = [ops.tile(ops.reshape(v, (1, -1)), (batch_size, 1)) for v in self.initial_state()]
        return self._control.get_initial_state(batch_size) + rows

    def unpack(self, states: States) -> tuple[list, NamedTuple]:
        """The controller's states, and the rest in its shapes."""
        k, shapes = len(self._control.state_size), self.state_shapes()
        shaped = (
            ops.reshape(ops.cast(v, self.memory_dtype), (-1, *shape))
            for v, shape in zip(states[k:], shapes, strict=True)
        )
        return list(states[:k]), type(shapes)(*shaped)

    def prepare(
        self, batch_size: int | Tensor, constants: Nest = None, training: bool = False
    ) -> tuple:
        """What holds for the controller, and the interface's weights, read once."""
        weights = self.interface_kernel, self.interface_bias
        return (
            self._control.prepare(batch_size, training),
            tuple(backend.read(w) for w in weights),
        )

    def step(self, projected: Tensor, states: States, prepared: tuple) -> tuple[Tensor, States]:
        output, control, state = self._advance(projected, *self.unpack(states), prepared)
        return output, [*control, *map(_flat, state)]

    def unfold(
        self, projected: Tensor, states: States, mask: Tensor | None, prepared: tuple
    ) -> tuple[Tensor, Tensor, States]:
        """The loop over `step`, faster: states keep their shapes from step to step.

        XLA computes what is handed on as (batch, slots^2) one number at a time, with divisions that
        tell its row and column.
        """
        control, state = self.unpack(states)
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
        self, projected: Tensor, control: list, state: NamedTuple, prepared: tuple
    ) -> tuple[Tensor, list, NamedTuple]:
        """One step: the output, and the states in their shapes."""
        reads = _flat(state[-1])
        seen = ops.concatenate([projected, ops.cast(reads, projected.dtype)], axis=-1)
        h, control = self._control.step(seen, control, prepared[0])
        state = self.access(self.say(h, prepared), state)
        output = [ops.cast(part, self.compute_dtype) for part in (h, _flat(state[-1]))]
        return ops.concatenate(output, axis=-1), control, state

    def say(self, h: Tensor, prepared: tuple) -> NamedTuple:
        """What the controller says: an affine function of its output h (batch, size)."""
        _, (kernel, bias) = prepared
        return self.split_interface(ops.matmul(ops.cast(h, self.memory_dtype), kernel) + bias)

    def split_interface(self, interface: Tensor) -> NamedTuple:
        """(batch, width) -> its parts, in their shapes."""
        shapes = self.interface_shapes()
        ends = list(itertools.accumulate(math.prod(s) for s in shapes))[:-1]
        split = zip(ops.split(interface, ends, axis=-1), shapes, strict=True)
        return type(shapes)(*(ops.reshape(v, (-1, *shape)) for v, shape in split))


def _flat(v: Tensor) -> Tensor:
    """(batch, a, b) -> (batch, a b)"""
    return ops.reshape(v, (-1, v.shape[1] * v.shape[2]))
