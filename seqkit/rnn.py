"""RNN: unfold a cell over time (Deep Learning, 10.1)."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import keras
from keras import ops, tree

from seqkit import backend
from seqkit.cells.cell import Cell, check_constants, check_states, output_size, state_sizes
from seqkit.cells.keras_cell import as_seqkit_cell
from seqkit.cells.recurrence import Flow, loops_are_plain
from seqkit.cells.stacked import StackedCells
from seqkit.checks import as_mask, check_sequence, invalid
from seqkit.ops import align, time_first, where_rows
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Size, States, Tensor


class _Carry(NamedTuple):
    """What a loop carries from step to step."""

    states: States  # each (batch, size)
    output: Tensor  # (batch, output_size), of the last real step


class _Inputs(NamedTuple):
    """The input sequences of a loop, (time, batch, ...), or one step of them, (batch, ...)."""

    projected: Nest
    mask: Tensor | tuple  # bool; () if all steps are real
    restart: Tensor | tuple  # bool; () if none starts a new segment


_Step: TypeAlias = Callable[[_Carry, _Inputs], _Carry]


@keras.saving.register_keras_serializable(package="seqkit")
class RNN(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Layer that runs a cell over the time axis of a sequence.

        (y_t, s_t) = cell(x_t, s_{t-1}),   t = 1 ... time

    In TensorFlow's eager mode each step runs by itself, which is slow for long sequences: call the
    model in a `tf.function`, or with `predict`.

    Args:
        cell: A seqkit cell, or any cell that follows Keras's contract (`keras.layers.LSTMCell`, a
            custom one); a list of cells is stacked. The layer computes in the cell's dtype policy.
        return_sequences: Return the output of every step instead of the last real step's.
        return_state: Return the states after the last real step as well, after the output.
        go_backwards: Read the sequence from its end; outputs come in the order of reading.
        zero_output_for_mask: Make the output of a masked step zero; otherwise it repeats the
            previous output (zeros, if there is none). The last output is always the last real
            step's.
        learn_initial_state: Train the state before the first step. It is initialized to the cell's
            own initial state (zeros for most).

    Call arguments:
        sequences: (batch, time, features...).
        mask: (batch, time) bool, True = real; taken from the input if Keras propagates one there.
        initial_state: The states to start from, a list of (batch, size), or the tensor if there is
            one; None: the cell's initial state. Together with `return_state`, this is how a stream
            is read piece by piece.
        constants: A nest of tensors that each step reads and none writes (an encoder's memory).
        reset: (batch, time) bool, True where a new segment begins: the state is reset there, for
            that row alone. A flag on a masked step counts from the next real one. When reading
            backwards, segments are separated at the same places.

    Returns:
        Outputs (batch, time, output_size) or (batch, output_size); with `return_state` a tuple of
        the outputs and the states.

    Raises:
        ValueError: If an argument's shape doesn't fit, or for `stateful=True` or `unroll=True`.

    Masking:
        A masked step changes no state, wherever the padding lies: left, right, in gaps, or a whole
        row. The content of the padding is never read, not even NaN. The outputs of all steps
        propagate the mask, in their own order.

    Source:
        Goodfellow et al. 2016, 10.1, eq. 10.4.

    Deviations:
        From `keras.layers.RNN`: the last output of a row that ends in padding is never zeroed; when
        reading backwards, the outputs' mask is reversed together with them; `stateful` and `unroll`
        are not supported.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, LSTMCell
        >>> rnn = RNN(LSTMCell(3), return_state=True)
        >>> output, h, c = rnn(np.zeros((2, 5, 4)), mask=np.ones((2, 5), bool))
        >>> tuple(output.shape), tuple(c.shape)
        ((2, 3), (2, 3))
    """

    stateful, states = False, None  # read by keras.layers.Bidirectional

    def __init__(
        self,
        cell: keras.layers.Layer,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
        learn_initial_state: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("stateful", False):
            raise ValueError(
                "RNN keeps no state between calls: take it with return_state=True, and pass it "
                "back as initial_state"
            )
        if kwargs.pop("unroll", False):
            raise ValueError("RNN runs in a loop, which XLA compiles well; leave out unroll=True")
        cell = _check_cell(_stacked(cell) if isinstance(cell, (list, tuple)) else cell)
        policy = getattr(cell, "dtype_policy", None)
        dtype = kwargs.pop("dtype", None) or policy
        if policy is not None and keras.dtype_policies.get(dtype).name != policy.name:
            raise ValueError(
                f"RNN computes in its cell's dtype policy, {policy.name}; pass dtype={dtype!r} to "
                "the cell"
            )
        super().__init__(dtype=dtype, **kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.zero_output_for_mask = zero_output_for_mask
        self.learn_initial_state = learn_initial_state
        self.supports_masking = True
        self.input_spec = None  # read by keras.layers.Bidirectional
        self._features = None  # the last size of the sequences

    @property
    def state_size(self) -> Nest:
        return self.cell.state_size

    @property
    def output_size(self) -> int:
        return output_size(self.cell)

    def build(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
        reset_shape: Shape | None = None,
    ) -> None:
        features = getattr(self.cell, "input_size", None)
        check_sequence("sequences", sequences_shape, self, features)
        self._features = sequences_shape[-1]
        if isinstance(self.cell, keras.layers.Layer) and not self.cell.built:
            extra = {"constants_shape": constants_shape} if self._reads_constants else {}
            self.cell.build((sequences_shape[0], *sequences_shape[2:]), **extra)
        if self.learn_initial_state:
            if None in state_sizes(self.cell):
                raise ValueError(
                    f"RNN: a state of {self.cell.name} is as long as its constants, so "
                    "learn_initial_state=True can't learn it; pass an initial_state"
                )
            self.initial_state_offsets = [
                self.add_weight(shape=(1, n), initializer="zeros", name=f"initial_state_{i}")
                for i, n in enumerate(state_sizes(self.cell))
            ]

    @property
    def _reads_constants(self) -> bool:
        return getattr(self.cell, "reads_constants", False)

    def _has_penalty(self, training: bool) -> bool:
        return training and getattr(self.cell, "has_penalty", False)

    def get_initial_state(self, batch_size: Size, constants: Nest = None) -> States:
        """Return the state before the first step, a list of (batch, size)."""
        extra = (constants,) if self._reads_constants else ()
        with as_seqkit_cell(self.cell) as cell:
            states = cell.get_initial_state(batch_size, *extra)
        if not self.learn_initial_state:
            return states
        offsets = tree.pack_sequence_as(states, self.initial_state_offsets)
        return tree.map_structure(lambda s, w: s + ops.cast(w, s.dtype), states, offsets)

    def step(self, inputs: Tensor, states: States, constants: Nest = None) -> tuple[Tensor, States]:
        """Run one step of a stream: inputs (batch, features) -> output, new states."""
        check_constants(self.cell, constants)
        extra = {} if constants is None else {"constants": constants}
        return self.cell(inputs, states, **extra)

    def call(
        self,
        sequences: Tensor,
        mask: Mask = None,
        initial_state: States | None = None,
        constants: Nest = None,
        reset: Tensor | None = None,
        training: bool = False,
    ) -> Tensor:
        # Keras fills it in only where `sequences` is the one tensor argument
        mask = getattr(sequences, "_keras_mask", None) if mask is None else mask
        check_sequence("sequences", sequences, self, self._features)
        mask, reset = (
            as_mask(name, flags, sequences, self)
            for name, flags in (("mask", mask), ("reset", reset))
        )
        check_constants(self.cell, constants)
        batch_size = ops.shape(sequences)[0]
        initial = self.get_initial_state(batch_size, constants)
        states = (
            initial
            if initial_state is None
            else self._match_initial_state(initial_state, initial, batch_size)
        )
        x, mask, restart = self._as_read(sequences, mask, reset)
        flow = Flow(mask, restart, None if restart is None else tree.flatten(initial))

        with as_seqkit_cell(self.cell) as cell:
            prepared = cell.prepare(batch_size, constants, training)
            projected = cell.project(x, prepared)
            if not loops_are_plain() and getattr(cell, "unfolds", _never)(flow, training):
                outputs, last, states = cell.unfold(projected, states, flow, prepared)
            else:
                step = self._carrying(cell, prepared)
                if restart is not None:
                    step = _restarting(step, initial)
                if mask is not None:
                    step = _skipping_masked(step)
                inputs = _Inputs(projected, _or_empty(mask), _or_empty(restart))
                outputs, last, states = self._scan(step, states, inputs, training)
            if self._has_penalty(training):
                self.add_loss(cell.penalty(outputs, mask, prepared))

        result = last
        if self.return_sequences:
            if mask is not None and self.zero_output_for_mask:
                outputs = ops.where(align(mask, outputs), outputs, ops.zeros((), outputs.dtype))
            result = time_first(outputs)  # its own inverse
        return (result, *states) if self.return_state else result

    def _as_read(
        self, sequences: Tensor, mask: Mask, reset: Tensor | None
    ) -> tuple[Tensor, Mask, Mask]:
        """Return sequences, mask and restarts with time first, in the order of reading."""
        x = time_first(sequences)
        mask = None if mask is None else time_first(mask)
        # The number of the segment that each step belongs to, counted from 0.
        segment = None if reset is None else ops.cumsum(ops.cast(time_first(reset), "int32"), 0)
        if self.go_backwards:
            x, mask, segment = (v if v is None else ops.flip(v, 0) for v in (x, mask, segment))
            # Counted from the end; a stream's state belongs to the segment that is read first.
            segment = None if segment is None else ops.max(segment, axis=0, initial=0) - segment
        if mask is not None:
            # Padding may hold anything; a NaN there would reach the weights' gradients.
            x = ops.where(align(mask, x), x, ops.zeros((), x.dtype))
        return x, mask, None if segment is None else _restarts(segment, mask)

    def _carrying(self, cell: Cell, prepared: Any) -> _Step:
        """Return the cell's step as a function from carry and inputs to the next carry."""

        def step(before: _Carry, now: _Inputs) -> _Carry:
            output, states = cell.step(now.projected, before.states, prepared)
            self._check_new_state(states, before.states)
            return before._replace(states=states, output=ops.cast(output, self.compute_dtype))

        return step

    def _scan(
        self, step: _Step, states: States, sequence: _Inputs, training: bool
    ) -> tuple[Tensor, Tensor, States]:
        """Run a step over time: every output, the last output, the last states."""
        batch_size = ops.shape(tree.flatten(states)[0])[0]
        zeros = ops.zeros((batch_size, self.output_size), self.compute_dtype)
        keep_outputs = self.return_sequences or self._has_penalty(training)

        def scanned(before: _Carry, now: _Inputs) -> tuple[_Carry, Tensor]:
            after = step(before, now)
            return after, after.output if keep_outputs else ()

        carry, outputs = backend.scan(scanned, _Carry(states, zeros), sequence)
        return outputs, carry.output, carry.states

    def _match_initial_state(self, given: States, initial: States, batch_size: Size) -> States:
        """Return the given states in the structure and the dtypes of the cell's own."""
        given = tree.flatten(given)
        check_states(self.cell, given, "initial_state has", batch_size)
        given = [
            ops.cast(s, own.dtype) for s, own in zip(given, tree.flatten(initial), strict=True)
        ]
        return tree.pack_sequence_as(initial, given)

    def _check_new_state(self, after: States, before: States) -> None:
        after, before = tree.flatten(after), tree.flatten(before)
        check_states(self.cell, after, "a step returned")
        for i, (a, b) in enumerate(zip(after, before, strict=True)):
            if a.dtype != b.dtype:
                raise invalid(
                    self.cell,
                    f"a step turned state {i} from {b.dtype} into {a.dtype}; "
                    "return states in the dtype of get_initial_state",
                )

    def compute_output_shape(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
        reset_shape: Shape | None = None,
    ) -> Shape | tuple[Shape, ...]:
        check_sequence("sequences", sequences_shape, self)
        batch, time, *features = sequences_shape
        if isinstance(self.cell, Cell):
            output, states = self.cell.compute_output_shape(
                (batch, *features), constants_shape=constants_shape
            )
        else:
            output, sizes = (batch, self.output_size), self.cell.state_size
            sizes = sizes if isinstance(sizes, (list, tuple)) else [sizes]
            states = tree.map_structure(lambda n: (batch, n), list(sizes))
        shape = (batch, time, output[-1]) if self.return_sequences else output
        return (shape, *states) if self.return_state else shape

    def compute_mask(self, sequences: Tensor, mask: Mask = None) -> Tensor:
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        if mask is not None and self.go_backwards:
            mask = ops.flip(mask, axis=1)  # as the outputs are
        if self.return_state:
            return [mask] + [None] * len(state_sizes(self.cell))
        return mask


def _stacked(cells: list[keras.layers.Layer]) -> keras.layers.Layer:
    """Return a list of cells as one cell."""
    if not cells or all(isinstance(cell, Cell) for cell in cells):
        return StackedCells(list(cells))
    policy = getattr(_check_cell(cells[0]), "dtype_policy", None)
    return keras.layers.StackedRNNCells([_check_cell(cell) for cell in cells], dtype=policy)


def _check_cell(cell: keras.layers.Layer) -> keras.layers.Layer:
    """Return the cell, or raise a ValueError that names what was given in its place."""
    if isinstance(cell, type):
        got, remedy = f"the class {cell.__name__}", f"create one: {cell.__name__}(units)"
    elif hasattr(cell, "return_sequences"):
        got = f"{type(cell).__name__}, which itself runs over a sequence"
        remedy = "pass a cell, such as seqkit.LSTMCell(units)"
    elif not callable(cell) or not hasattr(cell, "state_size"):
        got, remedy = repr(cell), "a cell has state_size and call, such as seqkit.LSTMCell(units)"
    else:
        return cell
    raise ValueError(f"RNN needs a cell; got {got}; {remedy}")


def _or_empty(x: Nest) -> Nest:
    """Return x, or for None an empty nest, which loops of TensorFlow accept."""
    return () if x is None else x


def _never(flow: Flow, training: bool) -> bool:
    """Return False: a cell of Keras has no `unfold`."""
    return False


def _restarts(segment: Tensor, mask: Mask) -> Tensor:
    """Return where a real step belongs to another segment than the last real step, (time, batch).

    Args:
        segment: The number of each step's segment, (time, batch) int32, which only grows; what came
            before the first step belongs to segment 0.
        mask: (time, batch) bool, or None.
    """
    zeros = ops.zeros(ops.shape(segment)[1:], "int32")
    if mask is None:
        return segment != ops.concatenate([zeros[None], segment], axis=0)[:-1]

    def step(last: Tensor, now: tuple) -> tuple[Tensor, Tensor]:
        segment, real = now
        return ops.where(real, segment, last), ops.logical_and(real, segment != last)

    return backend.scan(step, zeros, (segment, mask))[1]


def _restarting(step: _Step, initial: States) -> _Step:
    """Start from the initial state in the rows where a new segment begins."""

    def restarted(before: _Carry, now: _Inputs) -> _Carry:
        states = where_rows(now.restart, initial, before.states)
        return step(before._replace(states=states), now)

    return restarted


def _skipping_masked(step: _Step) -> _Step:
    """Leave the whole carry unchanged at a masked step."""
    return lambda before, now: where_rows(now.mask, step(before, now), before)
