"""Cell: one time step of a recurrence, split into its parts."""

from typing import Any

import keras
from keras import ops, tree

from seqkit.cells.recurrence import Flow
from seqkit.checks import check_numbers, check_shape, invalid, static_shape
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Size, States, Tensor


class Cell(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Base class of one time step of a recurrence: define `step`, and `RNN` runs it over time.

    A cell has a `state_size` (flat list of ints; None: as long as the constants; an int is a list
    of one) and an `output_size` (int; by default that of the first state), and consists of

    | method                                       | runs                 | computes              |
    | -------------------------------------------- | -------------------- | --------------------- |
    | `prepare(batch_size, constants, training)`   | once per sequence    | dropout masks, keys   |
    | `project(inputs, prepared)`                  | once, for all steps  | the book's U x + b    |
    | `step(projected, states, prepared)`          | at each step         | the book's W h, and f |
    | `unfold(projected, states, flow, prepared)`  | instead of the loop  | the same, but faster  |
    | `penalty(outputs, mask, prepared)`           | only in training     | a loss on the outputs |

    `project` gets (..., batch, features), with the time axis first where there is one, so that the
    results of `prepare` broadcast. `step` returns the output and the new states. `unfold` runs
    where `unfolds(flow, training)` is True: it takes (time, batch, ...) and a `Flow`, which holds
    which steps are masked and which start a new segment, and returns every output (time, batch,
    units), the last output and the last states. A masked step repeats the previous output and
    leaves the states unchanged. `penalty` gets those outputs and the mask; if `has_penalty` is
    True, `RNN` adds its result to the losses.
    `call` composes the parts for a single step, so that every cell also runs in `keras.layers.RNN`.
    A cell with `reads_constants` gets the `constants` of `RNN` in `prepare` and in
    `get_initial_state(batch_size, constants)`, and their shapes in `build(input_shape,
    constants_shape)`. Cells are pure: they hold nothing but weights and sub-layers, built in
    `build`.

    Source:
        Goodfellow et al. 2016, figure 10.13 and eq. 10.8-10.9.
    """

    state_size: list[int | None]
    output_size: int
    input_size: int | None = None  # number of features, if `build` sets it and calls are checked

    is_stochastic = False  # whether `prepare` draws random numbers in training
    has_penalty = False  # whether the cell has a `penalty`
    reads_constants = False  # whether `prepare`, `build` and `get_initial_state` take constants

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> Any:
        """Compute once per sequence, before the loop."""

    def project(self, inputs: Tensor, prepared: Any) -> Tensor:
        """Compute the part of a step that does not depend on the state, for all steps at once."""
        return inputs

    def step(self, projected: Tensor, states: States, prepared: Any) -> tuple[Tensor, States]:
        """Run one step: projected (batch, ...), states a list of (batch, size)."""
        raise NotImplementedError(f"{type(self).__name__} must define `step`")

    def unfolds(self, flow: Flow, training: bool = False) -> bool:
        """Return whether `unfold` runs instead of a loop over `step`."""
        return False

    def slow_arguments(self) -> list[str]:
        """Return the arguments, as in "peephole=True", with which training can't use `unfold`."""
        return []

    def call(
        self, inputs: Tensor, states: States, constants: Nest = None, training: bool = False
    ) -> tuple[Tensor, States]:
        if training and self.is_stochastic:
            raise ValueError(
                f"{self.name}: its dropout draws one mask per sequence, which a single step can't "
                "share; run the cell in seqkit.RNN, not in keras.layers.RNN"
            )
        if training and self.has_penalty:
            raise ValueError(
                f"{self.name}: its penalty needs all steps of a sequence; train the cell in "
                "seqkit.RNN, not in keras.layers.RNN, which would ignore it"
            )
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        check_numbers("inputs", inputs, self)
        if self.input_size is not None:
            axes = {"batch": None, "features": self.input_size}
            check_shape("inputs", inputs, axes, self, "; seqkit.RNN runs a cell over a sequence")
        check_states(self, states, batch_size=inputs.shape[0])
        check_constants(self, constants)
        prepared = self.prepare(ops.shape(inputs)[0], constants, training)
        return self.step(self.project(inputs, prepared), states, prepared)

    def get_initial_state(self, batch_size: Size = None, constants: Nest = None) -> States:
        """Return zeros, a list of (batch, size). A cell with a size of None overrides it."""
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in state_sizes(self)]

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        states_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
    ) -> tuple[Shape, list[Shape]]:
        batch = inputs_shape[0]
        return (batch, output_size(self)), [(batch, n) for n in state_sizes(self)]

    def compute_mask(self, inputs: Tensor, mask: Mask = None) -> None:
        """Return None: the mask of a step's inputs is not one of its output's."""


def state_sizes(cell: keras.layers.Layer) -> list[int | None]:
    """Return the sizes of a cell's states as a flat list."""
    return tree.flatten(cell.state_size)


def output_size(cell: keras.layers.Layer) -> int:
    """Return the size of a cell's output, by default that of the first state, as in Keras."""
    size = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if size is None else size


def check_constants(cell: keras.layers.Layer, constants: Nest) -> None:
    """Raise a ValueError if there are constants that the cell would ignore."""
    if constants is not None and not getattr(cell, "reads_constants", False):
        raise invalid(
            cell,
            "takes no constants; a cell that does sets reads_constants = True, and gets them in "
            "`prepare`",
        )


def check_states(
    cell: keras.layers.Layer, states: States, where: str = "got", batch_size: Size = None
) -> None:
    """Raise a ValueError if the number or the shapes of states don't match the cell."""
    for state in states:
        if not hasattr(state, "shape"):
            raise invalid(
                cell, f"its states must be tensors (batch, size); {where} {type(state).__name__}"
            )
        check_numbers("a state", state, cell)
    size = cell.state_size
    if isinstance(size, (list, tuple)) and any(isinstance(n, (list, tuple)) for n in size):
        return  # keras.layers.StackedRNNCells nests its states and checks them itself
    batch = batch_size if isinstance(batch_size, int) else None
    sizes, shapes = state_sizes(cell), [static_shape(s) for s in states]
    fits = len(shapes) == len(sizes) and all(
        s is None or (len(s) == 2 and s[0] in (None, batch or s[0]) and s[1] in (None, n or s[1]))
        for s, n in zip(shapes, sizes, strict=True)
    )
    if not fits:
        sizes = ["length of the constants" if n is None else n for n in sizes]
        wanted = ", ".join(f"(batch, {n})" for n in sizes)
        rows = "" if batch is None else f" for a batch of {batch}"
        raise invalid(cell, f"its states are [{wanted}]; {where} {shapes}{rows}")
