"""Cell: one time step of a recurrence, split into its parts."""

from typing import Any

import keras
from keras import ops

from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Nest, Size, States, Tensor


class Cell(ConfigFromSignature, keras.layers.Layer):
    """Base class of one time step of a recurrence: define `step`, and `RNN` runs it over time.

    A cell has a `state_size` (flat list of ints; None: as long as the constants) and an
    `output_size` (int), and consists of

    | method                                       | runs                 | computes              |
    | -------------------------------------------- | -------------------- | --------------------- |
    | `prepare(batch_size, constants, training)`   | once per sequence    | dropout masks, keys   |
    | `project(inputs, prepared)`                  | once, for all steps  | the book's U x + b    |
    | `step(projected, states, prepared)`          | at each step         | the book's W h, and f |
    | `unfold(projected, states, mask, prepared)`  | instead of the loop  | the same, but faster  |
    | `penalty(outputs, mask, prepared)`           | only in training     | a loss on the outputs |

    `project` gets (..., batch, features), with the time axis first where there is one, so that the
    results of `prepare` broadcast. `step` returns the output and the new states. `unfold` is
    optional: it takes (time, batch, ...) and a mask (time, batch) or None, and returns every output
    (time, batch, units), the last output and the last states, where a masked step repeats the
    previous output and leaves the states unchanged. `penalty` gets those outputs and that mask; if
    `has_penalty` is True, `RNN` adds its result to the losses.
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
        check_states(self, states)
        prepared = self.prepare(ops.shape(inputs)[0], constants, training)
        return self.step(self.project(inputs, prepared), states, prepared)

    def get_initial_state(self, batch_size: Size = None, constants: Nest = None) -> States:
        """Return zeros, a list of (batch, size). A cell with a size of None overrides it."""
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in self.state_size]


def check_states(cell: keras.layers.Layer, states: States, where: str = "got") -> None:
    """Raise a ValueError if the number or the sizes of states don't match the cell."""
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    if any(isinstance(n, (list, tuple)) for n in sizes):
        return  # keras.layers.StackedRNNCells nests its states and checks them itself
    shapes = [tuple(s.shape) for s in states]
    fits = len(shapes) == len(sizes) and all(
        len(s) == 2 and (n is None or s[1] in (None, n)) for s, n in zip(shapes, sizes, strict=True)
    )
    if not fits:
        sizes = ["length of the constants" if n is None else n for n in sizes]
        wanted = ", ".join(f"(batch, {n})" for n in sizes)
        raise ValueError(f"{cell.name}: its states are [{wanted}]; {where} {shapes}")
