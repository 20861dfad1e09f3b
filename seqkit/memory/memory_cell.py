"""MemoryCell: what the cells with an explicit memory share (Deep Learning, 10.12)."""

import itertools
import math
from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.cells.affine import positive
from seqkit.cells.cell import Cell
from seqkit.masking import where_rows
from seqkit.memory.controller import Controller


class MemoryCell(Cell):
    """A controller, what it says to its memory, and states that are flat outside, shaped inside.

    Subclasses give the shapes, without the batch, of their states and of what the controller says
    (`state_shapes`, `interface_shapes`: a NamedTuple each), and write `first_state` and `access`.
    All but the controller computes in float32, or float64 if that is the policy: in 16 bits, what
    is written over and over would fade.

    Args:
        controller: a seqkit cell, or a layer with `units`.
        memory_size: slots, > 0.   word_size: size of each, > 0.
        num_reads: words that are read at a step, > 0.
    Raises: ValueError if a size is not positive.
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

    def first_interface(self) -> NamedTuple:
        """The bias of each part before training, by default zeros."""
        shapes = self.interface_shapes()
        return type(shapes)(*(ops.zeros(shape, self.memory_dtype) for shape in shapes))

    def first_state(self) -> NamedTuple:
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

    def trace(self, states: list) -> dict[str, Any]:
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
    def draws_once(self) -> bool:
        return self._control.draws_once

    def build(self, input_shape: tuple) -> None:
        self._control.build((input_shape[0], input_shape[-1] + self.num_reads * self.word_size))
        width = sum(math.prod(s) for s in self.interface_shapes())
        precise = {"dtype": self.memory_dtype, "autocast": False}
        self.interface_kernel = self.add_weight(
            shape=(self._control.output_size, width), name="interface_kernel", **precise
        )
        self.interface_bias = self.add_weight(
            shape=(width,), initializer=self._first_bias, name="interface_bias", **precise
        )

    def _first_bias(self, shape: tuple, dtype: Any = None) -> Any:
        parts = [ops.reshape(part, (-1,)) for part in self.first_interface()]
        return ops.cast(ops.concatenate(parts), dtype or self.memory_dtype)

    def get_initial_state(self, batch_size: Any = None) -> list:
        """The controller's own, then those of `first_state`."""
        rows = [ops.tile(ops.reshape(v, (1, -1)), (batch_size, 1)) for v in self.first_state()]
        return self._control.get_initial_state(batch_size) + rows

    def unpack(self, states: list) -> tuple[list, NamedTuple]:
        """The controller's states, and the rest in its shapes."""
        k, shapes = len(self._control.state_size), self.state_shapes()
        shaped = (
            ops.reshape(ops.cast(v, self.memory_dtype), (-1, *shape))
            for v, shape in zip(states[k:], shapes, strict=True)
        )
        return list(states[:k]), type(shapes)(*shaped)

    def begin(self, batch_size: Any, constants: Any = None, training: bool = False) -> tuple:
        """What holds for the controller, and the interface's weights, read once."""
        weights = self.interface_kernel, self.interface_bias
        return (
            self._control.begin(batch_size, training),
            tuple(backend.read(w) for w in weights),
        )

    def step(self, projected: Any, states: list, ctx: tuple) -> tuple[Any, list]:
        output, control, state = self._advance(projected, *self.unpack(states), ctx)
        return output, [*control, *map(_flat, state)]

    def unfold(self, projected: Any, states: list, mask: Any, ctx: tuple) -> tuple[Any, Any, list]:
        """The loop over `step`, faster: states keep their shapes from step to step.

        XLA computes what is handed on as (batch, slots^2) one number at a time, with divisions that
        tell its row and column.
        """
        control, state = self.unpack(states)
        zeros = ops.zeros((ops.shape(projected)[1], self.output_size), self.compute_dtype)

        def step(before: tuple, now: dict) -> tuple[tuple, Any]:
            _, *memory = before
            after = self._advance(now["projected"], *memory, ctx)
            if mask is not None:
                after = where_rows(now["mask"], after, before)
            return after, after[0]

        sequence = {"projected": projected} | ({} if mask is None else {"mask": mask})
        (last, control, state), outputs = backend.scan(step, (zeros, control, state), sequence)
        return outputs, last, [*control, *map(_flat, state)]

    def _advance(
        self, projected: Any, control: list, state: NamedTuple, ctx: tuple
    ) -> tuple[Any, list, NamedTuple]:
        """One step: the output, and the states in their shapes."""
        reads = _flat(state[-1])
        seen = ops.concatenate([projected, ops.cast(reads, projected.dtype)], axis=-1)
        h, control = self._control.step(seen, control, ctx[0])
        state = self.access(self.say(h, ctx), state)
        output = [ops.cast(part, self.compute_dtype) for part in (h, _flat(state[-1]))]
        return ops.concatenate(output, axis=-1), control, state

    def say(self, h: Any, ctx: tuple) -> NamedTuple:
        """What the controller says: an affine function of its output h (batch, size)."""
        _, (kernel, bias) = ctx
        return self.split_interface(ops.matmul(ops.cast(h, self.memory_dtype), kernel) + bias)

    def split_interface(self, interface: Any) -> NamedTuple:
        """(batch, width) -> its parts, in their shapes."""
        shapes = self.interface_shapes()
        ends = list(itertools.accumulate(math.prod(s) for s in shapes))[:-1]
        split = zip(ops.split(interface, ends, axis=-1), shapes, strict=True)
        return type(shapes)(*(ops.reshape(v, (-1, *shape)) for v, shape in split))


def _flat(v: Any) -> Any:
    """(batch, a, b) -> (batch, a b)"""
    return ops.reshape(v, (-1, v.shape[1] * v.shape[2]))
