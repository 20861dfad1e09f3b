"""AffineCell: base class of the cells whose step starts with U x + W h + b."""

from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.cells import recurrence
from seqkit.cells.cell import Cell
from seqkit.checks import check_known, check_shape, positive
from seqkit.ops import apply_mask, linear
from seqkit.typing import Initializer, Nest, Regularizer, Shape, Size, States, Tensor


class Prepared(NamedTuple):
    """Computed once per sequence, before the loop.

    The weights are read once: read inside the loop, they would be kept for the gradient at every
    step. Dropout is variational: one mask per sequence, the same at each step; None: no dropout.
    """

    kernel: Tensor  # U
    recurrent_kernel: Tensor  # W
    bias: Tensor | None  # b
    input_mask: Tensor | None = None  # (batch, features)
    state_mask: Tensor | None = None  # (batch, size of the first state)


class AffineCell(Cell):
    """Base cell with a kernel U for the inputs, W for the first state, and a bias b.

    Subclasses set `blocks`, the number of blocks of width `units` that U, W and b hold side by
    side, one per gate.

    Args:
        units: Width of a block, > 0.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of U.
        recurrent_initializer: Initializer of W.
        bias_initializer: Initializer of b.
        kernel_regularizer: Regularizer of U.
        recurrent_regularizer: Regularizer of W.
        bias_regularizer: Regularizer of b.
        dropout: Rate of variational dropout on x, in [0, 1): one mask per sequence, the same for
            every step and gate.
        recurrent_dropout: Rate of the same on h.
        seed: Seed of the dropout; None draws one (`keras.utils.set_random_seed` fixes it).

    Raises:
        ValueError: If a size or a rate is out of range.

    Source:
        Gal and Ghahramani 2016 (dropout).
    """

    blocks = 1

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive("units", units, self)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        for name, rate in ("dropout", dropout), ("recurrent_dropout", recurrent_dropout):
            if not 0 <= rate < 1:
                raise ValueError(f"{type(self).__name__}: {name} is {rate}; it must be in [0, 1)")
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        if self.is_stochastic:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = [self.units]
        self.output_size = self.units

    def build(self, input_shape: Shape) -> None:
        remedy = "; RNN needs sequences (batch, time, features)"
        check_shape("inputs", input_shape, {"batch": None, "features": None}, self, remedy)
        check_known("inputs", input_shape, self)
        self.input_size = input_shape[-1]
        width = self.blocks * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.state_size[0], width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            name="recurrent_kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape(),
                initializer=self.initial_bias,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def bias_shape(self) -> Shape:
        return (self.blocks * self.units,)

    def initial_bias(self, shape: Shape, dtype: str | None = None) -> Tensor:
        """Return the initial value of the bias."""
        return self.bias_initializer(shape, dtype=dtype)

    @property
    def is_stochastic(self) -> bool:
        return bool(self.dropout or self.recurrent_dropout)

    def prepare(self, batch_size: Size, constants: Nest = None, training: bool = False) -> Prepared:
        """Read the weights and draw the dropout masks."""

        def mask(rate: float, size: int) -> Tensor | None:
            if not (training and rate):
                return None
            ones = ops.ones((batch_size, size), self.compute_dtype)
            return keras.random.dropout(ones, rate, seed=self.seed_generator)

        return Prepared(
            backend.read(self.kernel),
            backend.read(self.recurrent_kernel),
            backend.read(self.bias) if self.use_bias else None,
            mask(self.dropout, self.input_size),
            mask(self.recurrent_dropout, self.state_size[0]),
        )

    def project(self, inputs: Tensor, prepared: Prepared) -> Tensor:
        """Compute U x + b."""
        projected = linear(apply_mask(inputs, prepared.input_mask), prepared.kernel)
        return projected + prepared.bias if self.use_bias else projected

    def recur(self, h: Tensor, prepared: Prepared) -> Tensor:
        """Compute W h."""
        return ops.matmul(apply_mask(h, prepared.state_mask), prepared.recurrent_kernel)

    def gates(self) -> recurrence.Gates | None:
        """Return the elementwise part of a step with its derivative; None: it has none."""

    def unfolds(self, flow: recurrence.Flow, training: bool = False) -> bool:
        return training and self._step_is_of_gates and self.gates() is not None

    @property
    def _step_is_of_gates(self) -> bool:
        """Whether `gates` still describe `step`: a subclass may override `step` alone."""
        mro = type(self).__mro__
        definer = {
            name: next(c for c in mro if name in vars(c)) for name in ("gates", "step", "recur")
        }
        return all(issubclass(definer["gates"], c) for c in definer.values())

    def unfold(
        self, projected: Tensor, states: States, flow: recurrence.Flow, prepared: Prepared
    ) -> tuple[Tensor, Tensor, States]:
        d = prepared.bias[1] if self.use_bias and len(self.bias_shape()) == 2 else None
        W, dropout = prepared.recurrent_kernel, prepared.state_mask
        return recurrence.unfold(self.gates(), projected, states, flow, W, d, dropout)
