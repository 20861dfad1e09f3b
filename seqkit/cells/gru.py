"""The gated recurrent unit (Deep Learning, 10.10.2)."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from seqkit.cells import derivatives
from seqkit.cells.affine import AffineCell, Prepared
from seqkit.ops import apply_mask, linear
from seqkit.typing import Activation, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class GRUCell(AffineCell):
    """Gated recurrent unit: a single gate controls what the state forgets and what it takes in.

        z_t = σ(U_z x_t + W_z h_{t-1} + b_z)                    update gate     (10.46)
        r_t = σ(U_r x_t + W_r h_{t-1} + b_r)                    reset gate      (10.47)
        n_t = a(U_n x_t + r_t (W_n h_{t-1} + d_n) + b_n)        reset_after
        n_t = a(U_n x_t + W_n (r_t h_{t-1}) + b_n)              otherwise
        h_t = z_t h_{t-1} + (1 - z_t) n_t                                       (10.45)

    Args:
        units: Size of h, > 0.
        activation: a.
        recurrent_activation: σ.
        reset_after: Reset the product with W_n, not h: one matrix product per step instead of two,
            and what cuDNN and Keras compute.
        kwargs: Arguments of `AffineCell`: use_bias, initializers, regularizers, dropout.

    Call arguments:
        inputs: (batch, features).
        states: [h (batch, units)].

    Returns:
        The output h (batch, units), and [h].

    Raises:
        ValueError: If states have other shapes.

    Weights:
        kernel (U) and recurrent_kernel (W) hold the blocks z, r, n in this order, as
        `keras.layers.GRU` does. bias is (3 units,), or with reset_after (2, 3 units): b, then the
        recurrent d, which is added to b for z and r.

    Source:
        Cho et al. 2014; Chung et al. 2014.

    Deviations:
        The book's (10.45) delays the gates by a step; this cell follows the papers, which don't. As
        in Cho's, z keeps the old state; Chung's z takes the new one.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, GRUCell
        >>> tuple(RNN(GRUCell(3), return_sequences=True)(np.zeros((2, 5, 4))).shape)
        (2, 5, 3)
    """

    blocks = 3

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.reset_after = reset_after

    def bias_shape(self) -> Shape:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs: Tensor, prepared: Prepared) -> Tensor:
        projected = linear(apply_mask(inputs, prepared.input_mask), prepared.kernel)
        if not self.use_bias:
            return projected
        return projected + (prepared.bias[0] if self.reset_after else prepared.bias)

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        (h,) = states
        x_z, x_r, x_n = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            recurrent = self.recur(h, prepared)
            if self.use_bias:
                recurrent = recurrent + prepared.bias[1]
            h_z, h_r, h_n = ops.split(recurrent, 3, axis=-1)
        else:
            gates = ops.matmul(
                apply_mask(h, prepared.state_mask), prepared.recurrent_kernel[:, : 2 * self.units]
            )
            h_z, h_r = ops.split(gates, 2, axis=-1)

        z = self.recurrent_activation(x_z + h_z)
        r = self.recurrent_activation(x_r + h_r)
        if self.reset_after:
            n = self.activation(x_n + r * h_n)
        else:
            reset = r * apply_mask(h, prepared.state_mask)
            n = self.activation(
                x_n + ops.matmul(reset, prepared.recurrent_kernel[:, 2 * self.units :])
            )
        h = z * h + (1 - z) * n
        return h, [h]

    def slow_arguments(self) -> list[str]:
        variants = [] if self.reset_after else ["reset_after=False"]
        return variants + derivatives.unknown(
            activation=self.activation, recurrent_activation=self.recurrent_activation
        )

    def gates(self) -> "_Gates | None":
        if self.slow_arguments():
            return None
        return _Gates(self.activation, self.recurrent_activation)


@dataclass(frozen=True)  # a NamedTuple would equal that of another cell
class _Gates:
    """The elementwise part of a step, and its derivative; see `seqkit.cells.recurrence.Gates`."""

    a: Activation
    σ: Activation

    def forward(self, x: Tensor, r: Tensor, states: States) -> tuple[States, Tensor]:
        (h,) = states
        x_z, x_r, x_n = ops.split(x, 3, axis=-1)
        h_z, h_r, h_n = ops.split(r, 3, axis=-1)
        z, r = self.σ(x_z + h_z), self.σ(x_r + h_r)
        n = self.a(x_n + r * h_n)
        return [z * h + (1 - z) * n], ops.concatenate([z, r, n, h_n], axis=-1)

    def backward(
        self, d_states: States, saved: Tensor, states: States
    ) -> tuple[Tensor, Tensor, States]:
        (dh,), (h,) = d_states, states
        z, r, n, h_n = ops.split(saved, 4, axis=-1)
        da, dσ = (lambda y, u=u: derivatives.derivative(u, y) for u in (self.a, self.σ))
        d_z = dh * (h - n) * dσ(z)
        d_n = dh * (1 - z) * da(n)
        d_r = d_n * h_n * dσ(r)
        dx = ops.concatenate([d_z, d_r, d_n], axis=-1)
        dr = ops.concatenate([d_z, d_r, d_n * r], axis=-1)
        return dx, dr, [dh * z]
