"""Conditioned: a recurrence with a vector as additional input (Deep Learning, 10.2.4)."""

from typing import Any, Literal

import keras
from keras import ops, tree

from seqkit.cells.cell import Cell
from seqkit.checks import (
    as_mask,
    batch_of,
    check_features,
    check_known,
    check_recurrent,
    check_sequence,
    check_shape,
    one_of,
)
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Tensor
from seqkit.wiring.bridge import Bridge


@keras.saving.register_keras_serializable(package="seqkit")
class Conditioned(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Recurrent layer whose input or initial state also depends on a vector c.

        a_t = b + W h_{t-1} + U x_t + R c           input: at each step         (10.8 with R)
        h_0 = tanh(V c + d)                         state: once, at the start

    R c acts as a bias that differs from sequence to sequence. R is the part of the layer's kernel
    that multiplies c.

    Args:
        rnn: A `seqkit.RNN` or a recurrent layer of Keras; with by="input" any layer of sequences.
        by: "input", "state" or "both".

    Call arguments:
        sequences: (batch, time, features).
        context: c (batch, size).
        mask: (batch, time) bool, True = real.

    Returns:
        The outputs of `rnn`.

    Raises:
        ValueError: If `by` is invalid, an argument's shape doesn't fit, or `rnn` has states of
            unknown size.

    Masking:
        As in `rnn`.

    Source:
        Goodfellow et al. 2016, 10.2.4, figure 10.9 (there x^T R); Cho et al. 2014 (both).

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, GRUCell
        >>> from seqkit.wiring import Conditioned
        >>> layer = Conditioned(RNN(GRUCell(3), return_sequences=True), by="both")
        >>> tuple(layer(np.zeros((2, 5, 4)), np.ones((2, 6))).shape)
        (2, 5, 3)
    """

    def __init__(
        self, rnn: keras.layers.Layer, by: Literal["input", "state", "both"] = "both", **kwargs: Any
    ) -> None:
        if not isinstance(rnn, keras.layers.Layer) or isinstance(rnn, Cell):
            check_recurrent("rnn", rnn, self)
        kwargs.setdefault("dtype", rnn.dtype_policy)
        super().__init__(**kwargs)
        self.rnn = rnn
        self.by = one_of("by", by, ("input", "state", "both"), self)
        self.supports_masking = True
        self._sizes = None, None  # the last sizes of sequences and context
        if by != "input":
            sizes = tree.flatten(getattr(rnn, "state_size", None))
            if not all(isinstance(n, int) for n in sizes):
                raise ValueError(
                    f"Conditioned: {rnn.name} has states of unknown size, which a vector can't "
                    "initialize; use by='input'"
                )
            self.bridge = Bridge(sizes, dtype=self.dtype_policy, name="bridge")

    def build(self, sequences_shape: Shape, context_shape: Shape) -> None:
        check_sequence("sequences", sequences_shape, self)
        self._check_context(context_shape, sequences_shape)
        self._sizes = sequences_shape[-1], context_shape[-1]
        if not self.rnn.built:  # already built when reloaded
            self.rnn.build(self._rnn_shape(sequences_shape, context_shape))
        if self.by != "input" and not self.bridge.built:
            self.bridge.build([context_shape])

    def _check_context(self, context: Tensor | Shape, sequences: Tensor | Shape) -> None:
        """Raise a ValueError if the context is not one vector per row."""
        axes = {"batch": batch_of(sequences), "size": None}
        check_shape("context", context, axes, self, ", one vector per row")
        check_known("context", context, self)

    def compute_output_shape(self, sequences_shape: Shape, context_shape: Shape) -> Nest:
        return self.rnn.compute_output_shape(self._rnn_shape(sequences_shape, context_shape))

    def _rnn_shape(self, sequences_shape: Shape, context_shape: Shape) -> Shape:
        """Return the shape of the sequences that `rnn` reads."""
        if self.by == "state":
            return tuple(sequences_shape)
        return (*sequences_shape[:-1], sequences_shape[-1] + context_shape[-1])

    def call(
        self, sequences: Tensor, context: Tensor, mask: Mask = None, training: bool = False
    ) -> Nest:
        # Keras fills it in only where there is one tensor argument
        mask = getattr(sequences, "_keras_mask", None) if mask is None else mask
        check_sequence("sequences", sequences, self, self._sizes[0])
        self._check_context(context, sequences)
        check_features("context", context, self._sizes[1], self)
        mask = as_mask("mask", mask, sequences, self)
        extra = {} if self.by == "input" else {"initial_state": self.bridge([context])}
        if self.by != "state":
            context = ops.broadcast_to(
                context[:, None, :], (*ops.shape(sequences)[:2], context.shape[-1])
            )
            sequences = ops.concatenate([sequences, context], axis=-1)
        return self.rnn(sequences, mask=mask, training=training, **extra)

    def compute_mask(self, sequences: Tensor, mask: Mask = None) -> Nest:
        return self.rnn.compute_mask(sequences, mask)
