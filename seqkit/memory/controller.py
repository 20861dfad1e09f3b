"""The controller of a memory cell: a cell, or a layer without states."""

import keras

from seqkit.cells.cell import Cell, output_size, state_sizes
from seqkit.typing import Nest, Shape, Size, States, Tensor


class Controller:
    """A common interface for one step of a seqkit cell or a feed-forward layer.

    Args:
        layer: A seqkit cell, or a layer with `units`.
        owner: The memory cell, for error messages.

    Raises:
        ValueError: If the layer is neither.
    """

    def __init__(self, layer: keras.layers.Layer, owner: keras.layers.Layer) -> None:
        self.layer = layer
        self.is_cell = isinstance(layer, Cell)
        is_layer = isinstance(layer, keras.layers.Layer) and not hasattr(layer, "state_size")
        if not self.is_cell and not (is_layer and isinstance(getattr(layer, "units", None), int)):
            raise ValueError(
                f"{type(owner).__name__}: controller is {layer!r}; it must be a seqkit cell, such "
                "as seqkit.LSTMCell(100), or a layer with units and without states, such as "
                "keras.layers.Dense(100, activation='tanh')"
            )
        self.state_size = state_sizes(layer) if self.is_cell else []
        self.output_size = output_size(layer) if self.is_cell else layer.units

    @property
    def is_stochastic(self) -> bool:
        return self.is_cell and self.layer.is_stochastic

    def build(self, input_shape: Shape) -> None:
        if not self.layer.built:  # already built when reloaded
            self.layer.build(input_shape)

    def get_initial_state(self, batch_size: Size) -> States:
        return self.layer.get_initial_state(batch_size) if self.is_cell else []

    def prepare(self, batch_size: Size, training: bool) -> Nest:
        return self.layer.prepare(batch_size, None, training) if self.is_cell else None

    def step(self, x: Tensor, states: States, prepared: Nest) -> tuple[Tensor, States]:
        if not self.is_cell:
            return self.layer(x), []
        return self.layer.step(self.layer.project(x, prepared), states, prepared)
