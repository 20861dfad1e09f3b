"""Conditioned: a recurrence with a vector as additional input (Deep Learning, 10.2.4)."""

from typing import Any, Literal

import keras
from keras import ops, tree

from seqkit.checks import one_of
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Tensor
from seqkit.wiring.bridge import Bridge


@keras.saving.register_keras_serializable(package="seqkit")
class Conditioned(ConfigFromSignature, keras.layers.Layer):
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
        ValueError: If `by` is invalid, the context is not (batch, size), or `rnn` has states of
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
        kwargs.setdefault("dtype", rnn.dtype_policy)
        super().__init__(**kwargs)
        self.rnn = rnn
        self.by = one_of("by", by, ("input", "state", "both"), self)
        self.supports_masking = True
        if by != "input":
            sizes = tree.flatten(getattr(rnn, "state_size", None))
            if not all(isinstance(n, int) for n in sizes):
                raise ValueError(
                    f"Conditioned: {rnn.name} has states of unknown size, which a vector can't "
                    "initialize; use by='input'"
                )
            self.bridge = Bridge(sizes, dtype=self.dtype_policy, name="bridge")

    def build(self, sequences_shape: Shape, context_shape: Shape) -> None:
        if len(context_shape) != 2:
            raise ValueError(
                f"{self.name}: the context must be one vector per row, (batch, size); got "
                f"{tuple(context_shape)}"
            )
        if self.by != "state":
            features = sequences_shape[-1] + context_shape[-1]
            sequences_shape = (*sequences_shape[:-1], features)
        if not self.rnn.built:  # already built when reloaded
            self.rnn.build(sequences_shape)
        if self.by != "input" and not self.bridge.built:
            self.bridge.build([context_shape])

    def call(
        self, sequences: Tensor, context: Tensor, mask: Mask = None, training: bool = False
    ) -> Nest:
        # Keras fills it in only where there is one tensor argument
        mask = getattr(sequences, "_keras_mask", None) if mask is None else mask
        extra = {} if self.by == "input" else {"initial_state": self.bridge([context])}
        if self.by != "state":
            context = ops.broadcast_to(
                context[:, None, :], (*ops.shape(sequences)[:2], context.shape[-1])
            )
            sequences = ops.concatenate([sequences, context], axis=-1)
        return self.rnn(sequences, mask=mask, training=training, **extra)

    def compute_mask(self, sequences: Tensor, mask: Mask = None) -> Nest:
        return self.rnn.compute_mask(sequences, mask)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Nest:
        # By tracing: the number of outputs depends on rnn.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)
