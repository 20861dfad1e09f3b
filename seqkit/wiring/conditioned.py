"""Conditioned: a recurrence that is told something about its sequence (Deep Learning, 10.2.4)."""

from typing import Any, Literal

import keras
from keras import ops, tree

from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Shape, Tensor
from seqkit.wiring.bridge import Bridge


@keras.saving.register_keras_serializable(package="seqkit")
class Conditioned(ConfigFromSignature, keras.layers.Layer):
    """A recurrent layer that reads a sequence, given a vector c.

        a_t = b + W h_{t-1} + U x_t + R c           input: at each step         (10.8 with R)
        h_0 = tanh(V c + d)                         state: once, at the beginning

    R c acts as a bias of this sequence's own. R is the part of the layer's kernel that meets c.

    Args:
        rnn: a `seqkit.RNN` or a recurrent layer of Keras; with by="input" any layer of sequences.
        by: "input", "state" or "both".

    Call arguments:
        sequences (batch, time, features), context c (batch, size), mask (batch, time).

    Returns:
        what rnn returns.

    Masking:
        as rnn's.

    Raises:
        ValueError: for another `by`, a context that is not (batch, size), and for a state of rnn
            whose size is not known.

    Source:
        Goodfellow et al. 2016, 10.2.4, figure 10.9 (there x^T R); Cho et al. 2014 (both).

    Deviations:
        none.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, GRUCell
        >>> from seqkit.wiring import Conditioned
        >>> layer = Conditioned(RNN(GRUCell(3), return_sequences=True), by="both")
        >>> tuple(layer(np.zeros((2, 5, 4)), np.ones((2, 6))).shape)
        (2, 5, 3)
    """

    def __init__(
        self,
        rnn: keras.layers.Layer,
        by: Literal["input", "state", "both"] = "both",
        **kwargs: Any,
    ) -> None:
        if by not in ("input", "state", "both"):
            raise ValueError(f"Conditioned: by is {by!r}; it is 'input', 'state' or 'both'")
        kwargs.setdefault("dtype", rnn.dtype_policy)
        super().__init__(**kwargs)
        self.rnn = rnn
        self.by = by
        self.supports_masking = True
        if by != "input":
            sizes = tree.flatten(getattr(rnn, "state_size", None))
            if not all(isinstance(n, int) for n in sizes):
                raise ValueError(
                    f"Conditioned: {rnn.name} tells no sizes of its states that a vector could "
                    "begin; use by='input'"
                )
            self.bridge = Bridge(sizes, dtype=self.dtype_policy, name="bridge")

    def build(self, sequences_shape: Shape, context_shape: Shape) -> None:
        if len(context_shape) != 2:
            raise ValueError(
                f"{self.name}: the context is one vector a row, (batch, size); got "
                f"{tuple(context_shape)}"
            )
        if self.by != "state":
            features = sequences_shape[-1] + context_shape[-1]
            sequences_shape = (*sequences_shape[:-1], features)
        if not self.rnn.built:  # a reloaded one is
            self.rnn.build(sequences_shape)
            self.rnn.built = True
        if self.by != "input" and not self.bridge.built:
            self.bridge.build([context_shape])
            self.bridge.built = True

    def call(
        self, sequences: Tensor, context: Tensor, mask: Tensor | None = None, training: bool = False
    ) -> Tensor:
        if mask is None:  # Keras fills it in only where there is one tensor argument
            mask = getattr(sequences, "_keras_mask", None)
        extra = {} if self.by == "input" else {"initial_state": self.bridge([context])}
        if self.by != "state":
            context = ops.broadcast_to(
                context[:, None, :], (*ops.shape(sequences)[:2], context.shape[-1])
            )
            sequences = ops.concatenate([sequences, context], axis=-1)
        return self.rnn(sequences, mask=mask, training=training, **extra)

    def compute_mask(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.rnn.compute_mask(sequences, mask)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        # By tracing: how many outputs there are is for rnn to say.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)
