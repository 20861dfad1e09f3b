"""The controller of a memory: a cell, or a layer without states."""

from typing import Any

import keras

from seqkit.cells.cell import Cell


class Controller:
    """One way to run a seqkit cell and a feed-forward layer, at a step.

    Args:
        layer: a seqkit cell, or a layer with `units`.
        owner: whose controller it is, for errors.
    Raises: ValueError if it is neither.
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
    def draws_once(self) -> bool:
        return self.is_cell and self.layer.draws_once

    def build(self, input_shape: tuple) -> None:
        if not self.layer.built:  # a reloaded one is
            self.layer.build(input_shape)
            self.layer.built = True

    def get_initial_state(self, batch_size: Any) -> list:
        return self.layer.get_initial_state(batch_size) if self.is_cell else []

    def begin(self, batch_size: Any, training: bool) -> Any:
        return self.layer.begin(batch_size, None, training) if self.is_cell else None

    def step(self, x: Any, states: list, ctx: Any) -> tuple[Any, list]:
        if not self.is_cell:
            return self.layer(x), []
        return self.layer.step(self.layer.project(x, ctx), states, ctx)
