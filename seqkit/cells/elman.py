"""Elman's cell: the hidden state feeds itself (Deep Learning, figure 10.3)."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from seqkit.cells import derivatives
from seqkit.cells.affine import AffineCell, Prepared
from seqkit.typing import Activation, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class ElmanCell(AffineCell):
    """Plain recurrent cell.

        h_t = f(b + W h_{t-1} + U x_t)                                          (10.8, 10.9)

    Args:
        units: Size of h, > 0.
        activation: f.
        kwargs: Arguments of `AffineCell`: use_bias, initializers, regularizers, dropout.

    Call arguments:
        inputs: (batch, features).
        states: [h (batch, units)].

    Returns:
        The output h (batch, units), and [h].

    Raises:
        ValueError: If states have other shapes.

    Source:
        Goodfellow et al. 2016, 10.2, eq. 10.8-10.9; Elman 1990.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, ElmanCell
        >>> tuple(RNN(ElmanCell(3))(np.zeros((2, 5, 4))).shape)
        (2, 3)
    """

    def __init__(self, units: int, activation: Activation = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        (h,) = states
        h = self.activation(projected + self.recur(h, prepared))
        return h, [h]

    def slow_arguments(self) -> list[str]:
        return derivatives.unknown(activation=self.activation)

    def gates(self) -> "_Gates | None":
        return None if self.slow_arguments() else _Gates(self.activation)


@dataclass(frozen=True)  # a NamedTuple would equal that of another cell
class _Gates:
    """The elementwise part of a step, and its derivative; see `seqkit.cells.recurrence.Gates`."""

    f: Activation

    def forward(self, x: Tensor, r: Tensor, states: States) -> tuple[States, Tensor]:
        h = self.f(x + r)
        return [h], h

    def backward(
        self, d_states: States, saved: Tensor, states: States
    ) -> tuple[Tensor, Tensor, States]:
        (dh,), h = d_states, saved
        da = dh * derivatives.derivative(self.f, h)
        return da, da, [ops.zeros_like(dh)]
