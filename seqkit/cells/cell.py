"""Cell: one time step of a recurrence, in the parts that the book tells apart."""

from typing import Any

import keras
from keras import ops

from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Nest, States, Tensor


class Cell(ConfigFromSignature, keras.layers.Layer):
    """One time step of a recurrence. Subclass it, write `step`, and `RNN` runs it over time.

    A cell states `state_size` (flat list of ints; None: what the constants say) and `output_size`
    (int), and is made of

    | part                                            | runs              | holds                 |
    | ----------------------------------------------- | ----------------- | --------------------- |
    | `prepare(batch_size, constants, training) -> prepared` | once a sequence   | dropout masks, keys   |
    | `project(inputs, prepared) -> projected`             | once, all steps   | the book's U x + b    |
    | `step(projected, states, prepared) -> output, states`| each step         | the book's W h, and f |
    | `unfold(projected, states, mask, prepared)`          | instead of a loop | a faster way, if any  |
    | `penalty(outputs, mask, prepared) -> loss`           | in training alone | what the steps cost   |

    `project` gets (..., batch, features), with the time axis first where there is one, so that what
    is made of one `prepare` broadcasts. `unfold` is optional: (time, batch, ...) and a mask
    (time, batch) or None in; every output (time, batch, units), the last output and the last
    states out, with a masked step repeating the output before it and leaving the states alone.
    `penalty` gets those outputs and that mask; if `has_penalty` says so, `RNN` adds what it returns
    to the losses.
    `call` composes the parts for a single step, so that every cell runs in `keras.layers.RNN` too.
    A cell with `reads_constants` gets the `constants` of `RNN` in `prepare` and in
    `get_initial_state(batch_size, constants)`, and their shapes in `build(input_shape,
    constants_shape)`. Cells are pure: nothing but weights and sub-layers, built
    in `build`, is kept on them.

    Source:
        Goodfellow et al. 2016, figure 10.13 and eq. 10.8-10.9.
    """

    state_size: list[int | None]
    output_size: int

    is_stochastic = False  # whether `prepare` draws random numbers in training
    has_penalty = False  # whether there is a `penalty`
    reads_constants = False  # whether `prepare` and `build` take what each step reads

    def prepare(
        self, batch_size: int | Tensor, constants: Nest = None, training: bool = False
    ) -> Any:
        """What holds for a whole sequence."""

    def project(self, inputs: Tensor, prepared: Any) -> Tensor:
        """What does not depend on the state: all steps at once."""
        return inputs

    def step(self, projected: Tensor, states: States, prepared: Any) -> tuple[Tensor, States]:
        """One step: projected (batch, ...), states a list of (batch, size)."""
        raise NotImplementedError(f"{type(self).__name__} must define `step`")

    def call(
        self, inputs: Tensor, states: States, constants: Nest = None, training: bool = False
    ) -> tuple[Tensor, list]:
        if training and self.is_stochastic:
            raise ValueError(
                f"{self.name}: its dropout draws one mask a sequence, which a single step can't "
                "know; run the cell in seqkit.RNN, not in keras.layers.RNN"
            )
        if training and self.has_penalty:
            raise ValueError(
                f"{self.name}: its penalty is for all steps of a sequence; train the cell in "
                "seqkit.RNN, not in keras.layers.RNN, which would leave it out"
            )
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        check_states(self, states)
        prepared = self.prepare(ops.shape(inputs)[0], constants, training)
        return self.step(self.project(inputs, prepared), states, prepared)

    def get_initial_state(
        self, batch_size: int | Tensor | None = None, constants: Nest = None
    ) -> States:
        """Zeros: a list of (batch, size). A cell with a size None overrides it."""
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in self.state_size]


def check_states(cell: Any, states: States, where: str = "got") -> None:
    """Raise one clear line if the number or the sizes of states are not the cell's."""
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
