"""Jordan's cell: the output feeds the next hidden state (Deep Learning, figure 10.4)."""

from typing import Any

import keras
from keras import ops

from seqkit.cells.affine import AffineCell, Prepared
from seqkit.checks import positive
from seqkit.typing import Activation, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class JordanCell(AffineCell):
    """Output-recurrent cell, trained by the gradient through its own outputs.

        h_t = f(b + W y_{t-1} + U x_t)
        y_t = g(c + V h_t)

    y is the only state. That makes it less powerful than `ElmanCell`, since y must also be the
    output; but with the true y_{t-1} as input, a loss on y_t needs no unfolding (teacher forcing).

    Args:
        units: Size of h, > 0.
        output_units: Size of y, > 0.
        activation: f.
        output_activation: g; None: y is linear.
        kwargs: Arguments of `AffineCell`: use_bias (for both b and c), initializers (V is
            initialized like U), regularizers, dropout (recurrent_dropout applies to y).

    Call arguments:
        inputs: (batch, features).
        states: [y (batch, output_units)].

    Returns:
        The output y (batch, output_units), and [y].

    Raises:
        ValueError: If states have other shapes.

    Source:
        Goodfellow et al. 2016, 10.2, figure 10.4; Jordan 1986.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, JordanCell
        >>> tuple(RNN(JordanCell(8, output_units=3))(np.zeros((2, 5, 4))).shape)
        (2, 3)
    """

    def __init__(
        self,
        units: int,
        output_units: int,
        activation: Activation = "tanh",
        output_activation: Activation = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.output_units = positive("output_units", output_units, self)
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        self.state_size = [self.output_units]
        self.output_size = self.output_units

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.output_kernel = self.add_weight(
            shape=(self.units, self.output_units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="output_kernel",
        )
        if self.use_bias:
            self.output_bias = self.add_weight(
                shape=(self.output_units,), initializer=self.bias_initializer, name="output_bias"
            )

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        (y,) = states
        h = self.activation(projected + self.recur(y, prepared))
        y = ops.matmul(h, self.output_kernel)
        y = self.output_activation(y + self.output_bias if self.use_bias else y)
        return y, [y]
