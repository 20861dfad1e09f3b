"""Long short-term memory and its published variants (Deep Learning, 10.10.1)."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from seqkit.cells import derivatives
from seqkit.cells.affine import AffineCell, Prepared
from seqkit.checks import positive
from seqkit.ops import apply_mask, linear
from seqkit.typing import Activation, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class LSTMCell(AffineCell):
    """Long short-term memory cell: gates control what a linear memory takes in, keeps and emits.

        i_t = σ(U_i x_t + W_i h_{t-1} + p_i c_{t-1} + b_i)      input gate      (10.42)
        f_t = σ(U_f x_t + W_f h_{t-1} + p_f c_{t-1} + b_f)      forget gate     (10.40)
        g_t = a(U_g x_t + W_g h_{t-1} + b_g)
        c_t = f_t c_{t-1} + i_t g_t                             memory          (10.41)
        o_t = σ(U_o x_t + W_o h_{t-1} + p_o c_t + b_o)          output gate     (10.44)
        h_t = o_t a(c_t)                                                        (10.43)

    The book's f, g, q and s are the forget gate, the external input gate, the output gate and the
    state; here they are f, i, o and c.

    Args:
        units: Size of c, > 0.
        activation: a.
        recurrent_activation: σ.
        unit_forget_bias: Initialize b_f to 1, the rest of b with `bias_initializer`.
        peephole: Feed the memory to the gates: p_i, p_f and p_o have one weight per unit. Otherwise
            they are 0.
        layer_norm: Normalize U x, W h, and c before a, each with its own gain; c has a bias as
            well.
        projection_units: Size of h, which is then V o_t a(c_t); None: no V.
        coupled: Take in as much as is forgotten: i_t = 1 - f_t.
        kwargs: Arguments of `AffineCell`: use_bias, initializers, regularizers, dropout.

    Call arguments:
        inputs: (batch, features).
        states: [h (batch, projection_units or units), c (batch, units)].

    Returns:
        The output h, and [h, c].

    Raises:
        ValueError: If states have other shapes.

    Weights:
        kernel (U), recurrent_kernel (W) and bias hold the blocks i, f, g, o in this order, as
        `keras.layers.LSTM` does; f, g, o if coupled.

    Source:
        Hochreiter and Schmidhuber 1997; Gers et al. 2000 (f, and its bias), 2002 (peephole); Sak et
        al. 2014 (projection); Ba et al. 2016, eq. 20-22 (layer_norm); Greff et al. 2017 (coupled).

    Deviations:
        The book's (10.41) has a sigmoid where the papers and this cell have a.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, LSTMCell
        >>> rnn = RNN(LSTMCell(8, projection_units=3), return_state=True)
        >>> [tuple(v.shape) for v in rnn(np.zeros((2, 5, 4)))]
        [(2, 3), (2, 3), (2, 8)]
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        unit_forget_bias: bool = True,
        peephole: bool = False,
        layer_norm: bool = False,
        projection_units: int | None = None,
        coupled: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.peephole = peephole
        self.layer_norm = layer_norm
        self.projection_units = projection_units
        self.coupled = coupled
        if projection_units is not None:
            self.projection_units = positive("projection_units", projection_units, self)
            self.output_size = self.projection_units
        self.blocks = 3 if coupled else 4
        self.state_size = [self.output_size, self.units]

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if self.peephole:
            gates = "fo" if self.coupled else "ifo"
            self.peepholes = {
                g: self.add_weight(shape=(self.units,), initializer="zeros", name=f"peephole_{g}")
                for g in gates
            }
        if self.layer_norm:
            width = self.blocks * self.units
            self.kernel_norm = self._norm(width, "kernel_norm", center=False)
            self.recurrent_norm = self._norm(width, "recurrent_norm", center=False)
            self.state_norm = self._norm(self.units, "state_norm", center=True)
        if self.projection_units is not None:
            self.projection_kernel = self.add_weight(
                shape=(self.units, self.projection_units),
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                name="projection_kernel",
            )

    def _norm(self, width: int, name: str, center: bool) -> keras.layers.LayerNormalization:
        norm = keras.layers.LayerNormalization(center=center, name=name, dtype=self.dtype_policy)
        norm.build((None, width))
        return norm

    def initial_bias(self, shape: Shape, dtype: str | None = None) -> Tensor:
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        before = [] if self.coupled else [super().initial_bias((self.units,), dtype)]
        after = super().initial_bias((2 * self.units,), dtype)
        return ops.concatenate([*before, ops.ones((self.units,), dtype), after])

    def project(self, inputs: Tensor, prepared: Prepared) -> Tensor:
        if not self.layer_norm:
            return super().project(inputs, prepared)
        projected = self.kernel_norm(
            linear(apply_mask(inputs, prepared.input_mask), prepared.kernel)
        )
        return projected + prepared.bias if self.use_bias else projected

    def step(self, projected: Tensor, states: States, prepared: Prepared) -> tuple[Tensor, States]:
        h, c = states
        recurrent = self.recur(h, prepared)
        a = projected + (self.recurrent_norm(recurrent) if self.layer_norm else recurrent)
        *i, f, g, o = ops.split(a, self.blocks, axis=-1)

        f = self.recurrent_activation(self._add_peephole(f, "f", c))
        i = 1 - f if self.coupled else self.recurrent_activation(self._add_peephole(i[0], "i", c))
        c = f * c + i * self.activation(g)
        o = self.recurrent_activation(self._add_peephole(o, "o", c))
        h = o * self.activation(self.state_norm(c) if self.layer_norm else c)
        if self.projection_units is not None:
            h = ops.matmul(h, self.projection_kernel)
        return h, [h, c]

    def _add_peephole(self, gate: Tensor, name: str, c: Tensor) -> Tensor:
        return gate + self.peepholes[name] * c if self.peephole else gate

    def slow_arguments(self) -> list[str]:
        names = "peephole", "layer_norm", "coupled", "projection_units"
        variants = [f"{name}={value}" for name in names if (value := getattr(self, name))]
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
        _, c = states
        i, f, g, o = ops.split(x + r, 4, axis=-1)
        i, f, g, o = self.σ(i), self.σ(f), self.a(g), self.σ(o)
        c = f * c + i * g
        a_c = self.a(c)
        return [o * a_c, c], ops.concatenate([i, f, g, o, a_c], axis=-1)

    def backward(
        self, d_states: States, saved: Tensor, states: States
    ) -> tuple[Tensor, Tensor, States]:
        (dh, dc), (_, c) = d_states, states
        i, f, g, o, a_c = ops.split(saved, 5, axis=-1)
        da, dσ = (lambda y, u=u: derivatives.derivative(u, y) for u in (self.a, self.σ))
        dc = dc + dh * o * da(a_c)
        d_gates = [dc * g * dσ(i), dc * c * dσ(f), dc * i * da(g), dh * a_c * dσ(o)]
        d = ops.concatenate(d_gates, axis=-1)
        return d, d, [ops.zeros_like(dh), dc * f]
