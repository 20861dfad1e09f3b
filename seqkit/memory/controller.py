"""The controller of a memory: a cell, or a layer without states."""

from typing import Any

import keras

from seqkit.cells.cell import Cell
from seqkit.typing import Shape, States, Tensor


class Controller:
    """One way to run a seqkit cell and a feed-forward layer, at a step.

    Args:
        layer: a seqkit cell, or a layer with `units`.
        owner: whose controller it is, for errors.

    Raises:
        ValueError: if it is neither.
    """

    def __init__(self, layer: keras.layers.Layer, owner: keras.layers.Layer) -> None:
        self.layer = layer
        self.is_cell = isinstance(layer, Cell)
        if not self.is_cell and not isinstance(getattr(layer, "units", None), int):
            raise ValueError(
                f"{type(owner).__name__}: controller is {layer!r}; it must be a seqkit cell, or a "
                "layer with units, such as keras.layers.Dense(100, activation='tanh')"
            )
        self.state_size = list(layer.state_size) if self.is_cell else []
        self.output_size = layer.output_size if self.is_cell else layer.units

    @property
    def is_stochastic(self) -> bool:
        return self.is_cell and self.layer.is_stochastic

    def build(self, input_shape: Shape) -> None:
        if not self.layer.built:  # a reloaded one is
            self.layer.build(input_shape)
            self.layer.built = True

    def get_initial_state(self, batch_size: int | Tensor) -> States:
        return self.layer.get_initial_state(batch_size) if self.is_cell else []

    def prepare(self, batch_size: int | Tensor, training: bool) -> Any:
        return self.layer.prepare(batch_size, None, training) if self.is_cell else None

    def step(self, x: Tensor, states: States, prepared: Any) -> tuple[Tensor, States]:
        if not self.is_cell:
            return self.layer(x), []
        return self.layer.step(self.layer.project(x, prepared), states, prepared)
