"""check_cell: the contract of a recurrent cell, by itself and inside an RNN."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import keras
import numpy as np

from seqkit.cells.recurrence import plain_loops
from seqkit.rnn import RNN
from seqkit.testing.case import assert_same, flat_arrays
from seqkit.testing.layer import check_layer, run_check
from seqkit.typing import Nest, States


def check_cell(
    make: Callable[[], keras.layers.Layer],
    inputs: np.ndarray,
    *,
    constants: Nest = None,
    properties: Iterable[Callable[["CellCase"], None]] | None = None,
) -> None:
    """Check that a recurrent cell fulfills the contract of cells, and its `RNN` that of layers.

    Args:
        make: Makes the cell, a new one at each call, from the same arguments.
        inputs: (batch, features), the input of one step.
        constants: What each step reads and none writes, a nest of arrays (batch, ...).
        properties: Properties to check, from `CELL_PROPERTIES`; by default all, then `check_layer`.

    Raises:
        AssertionError: If a property does not hold; it names the first one and its meaning.

    Example:
        >>> # without the slower `check_layer`
        >>> import numpy as np
        >>> from seqkit import ElmanCell
        >>> from seqkit.testing import CELL_PROPERTIES, check_cell
        >>> check_cell(lambda: ElmanCell(3), np.ones((2, 5)), properties=CELL_PROPERTIES)
    """
    case = CellCase(make, np.asarray(inputs, keras.backend.floatx()), constants)
    for check in CELL_PROPERTIES if properties is None else properties:
        run_check(check, case)
    if properties is None:
        check_layer(
            lambda: RNN(make(), return_sequences=True, return_state=True),
            case.sequence,
            call_kwargs=case.constants,
        )


@dataclass(frozen=True)
class CellCase:
    """A cell's factory, the inputs of one step, and the constants that every step reads."""

    make: Callable[[], keras.layers.Layer]
    inputs: np.ndarray
    memory: Nest = None

    @property
    def constants(self) -> dict[str, Nest]:
        return {} if self.memory is None else {"constants": self.memory}

    @property
    def sequence(self) -> np.ndarray:
        """The inputs and three smaller variations, (batch, 4, features)."""
        steps = [np.roll(self.inputs, k, axis=-1) / (1 + k) for k in range(4)]
        return np.stack(steps, axis=1).astype(self.inputs.dtype)

    def cell(self) -> keras.layers.Layer:
        """Make a cell and build it."""
        cell = self.make()
        RNN(cell)(self.sequence, **self.constants)
        return cell

    def initial_states(self, cell: keras.layers.Layer) -> States:
        """Return the cell's initial states."""
        extra = self.constants if getattr(cell, "reads_constants", False) else {}
        return cell.get_initial_state(batch_size=len(self.inputs), **extra)

    def states(self, cell: keras.layers.Layer) -> list[np.ndarray]:
        """Return random states, none of them zero."""
        random = np.random.default_rng(0)
        initial = flat_arrays(self.initial_states(cell))
        return [
            state + random.uniform(0.1, 0.5, state.shape).astype(state.dtype) for state in initial
        ]


def sizes_are_plain(case: CellCase) -> None:
    """`state_size` is a flat list of ints and `output_size` an int, as every wrapper expects.

    A cell that reads constants may have a size None: as long as the constants.
    """
    cell = case.make() if case.memory is None else case.cell()
    sizes = cell.state_size
    kinds = {int} if case.memory is None else {int, type(None)}
    assert isinstance(sizes, list) and sizes and all(type(size) in kinds for size in sizes), (
        f"state_size is {sizes!r}; it must be a list of ints, [units] for a single state"
    )
    assert type(cell.output_size) is int, f"output_size is {cell.output_size!r}"


def initial_states_fit(case: CellCase) -> None:
    """`get_initial_state` returns one (batch, size) tensor for each size of `state_size`."""
    cell = case.cell()
    batch, shapes = len(case.inputs), [tuple(state.shape) for state in case.initial_states(cell)]
    fits = len(shapes) == len(cell.state_size) and all(
        len(shape) == 2 and shape[0] == batch and size in (None, shape[1])
        for shape, size in zip(shapes, cell.state_size, strict=True)
    )
    assert fits, f"{shapes} for {cell.state_size}"


def call_is_one_step_of_rnn(case: CellCase) -> None:
    """A call of the cell and an `RNN` over a single step return the same output and states."""
    cell = case.cell()
    states = case.states(cell)
    output, after = cell(case.inputs, states, **case.constants)
    rnn = RNN(cell, return_state=True)
    unfolded = rnn(case.inputs[:, None], initial_state=states, **case.constants)
    assert_same(
        flat_arrays(unfolded), flat_arrays((output, after)), "RNN over one step and the cell"
    )


def call_composes_its_parts(case: CellCase) -> None:
    """`call` is `prepare`, `project` and `step` in turn; `project` takes all time steps at once."""
    cell = case.cell()
    if not hasattr(cell, "prepare"):
        return  # a cell that follows only Keras's contract
    states = case.states(cell)
    prepared = cell.prepare(len(case.inputs), case.memory, False)
    stepped = cell.step(cell.project(case.inputs, prepared), states, prepared)
    called = cell(case.inputs, states, **case.constants)
    assert_same(flat_arrays(stepped), flat_arrays(called), "step(project(inputs)) and call(inputs)")

    steps = np.moveaxis(case.sequence, 1, 0)  # (time, batch, features)
    at_once = keras.tree.flatten(cell.project(keras.ops.convert_to_tensor(steps), prepared))
    for time, step in enumerate(steps):
        found = flat_arrays([part[time] for part in at_once])
        assert_same(
            found, flat_arrays(cell.project(step, prepared)), f"project of all steps, at {time}"
        )


def unfold_is_the_loop(case: CellCase) -> None:
    """`unfold`, where it runs, returns the same as a loop over `step`, with masks and resets."""
    cell = case.cell()
    if not hasattr(cell, "unfold"):
        return
    rnn = RNN(cell, return_sequences=True, return_state=True)
    training = not getattr(cell, "is_stochastic", False)  # else the two draw different masks
    reset = np.roll(_mask(case), 1, axis=1)
    for flags in ({}, {"mask": _mask(case)}, {"mask": _mask(case), "reset": reset}):
        flags = flags | case.constants
        fast = rnn(case.sequence, training=training, **flags)
        with plain_loops():
            loop = rnn(case.sequence, training=training, **flags)
        assert_same(flat_arrays(fast), flat_arrays(loop), "unfold and the loop over step")


def runs_in_keras_rnn(case: CellCase) -> None:
    """`keras.layers.RNN` and `seqkit.RNN` return the same outputs and states, masked or not."""
    if case.memory is not None:
        return  # keras.layers.RNN passes no constants to `prepare`
    cell = case.cell()
    ours = RNN(cell, return_sequences=True, return_state=True)
    theirs = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    for mask in (None, _mask(case)):
        found = flat_arrays(theirs(case.sequence, mask=mask))
        wanted = flat_arrays(ours(case.sequence, mask=mask))
        assert_same(found, wanted, "outputs in keras.layers.RNN and in seqkit.RNN")


def wrong_states_are_refused(case: CellCase) -> None:
    """A wrong number or size of states raises a ValueError with a line that gives the sizes."""
    cell = case.cell()
    right = case.states(cell)
    wide = [np.concatenate([state, state], axis=-1) for state in right]
    for wrong in (wide, right + right[:1]):
        try:
            RNN(cell)(case.sequence, initial_state=wrong, **case.constants)
        except ValueError as error:
            sizes = [str(size) for size in cell.state_size if size is not None]
            lines = str(error).splitlines()
            assert any(all(size in line for size in sizes) for line in lines), (
                f"no line of the error names the sizes {cell.state_size}: {lines[0]}"
            )
        else:
            shapes = [state.shape for state in wrong]
            raise AssertionError(f"states {shapes} are accepted for sizes {cell.state_size}")


def _mask(case: CellCase) -> np.ndarray:
    """Return a mask whose rows have padding on the right, a gap, or none, in turn."""
    mask = np.ones(case.sequence.shape[:2], bool)
    mask[0::3, -1] = mask[1::3, 1] = False
    return mask


CELL_PROPERTIES = (
    sizes_are_plain,
    initial_states_fit,
    call_is_one_step_of_rnn,
    call_composes_its_parts,
    unfold_is_the_loop,
    runs_in_keras_rnn,
    wrong_states_are_refused,
)
