"""Bridge: from the states in which one recurrence ends to those in which another begins."""

from typing import Any, Literal

import keras
from keras import ops, tree

from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Activation, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class Bridge(ConfigFromSignature, keras.layers.Layer):
    """The first states of a decoder, from the last ones of an encoder.

        s_0 = 0                                     zero
        s_0 = h                                     copy
        s_0 = f(W [h_1; h_2; ...] + b)              dense

    Each state of a dense bridge sees all of the encoder's, so that it takes any number of layers,
    directions and memories to any other.

    Args:
        sizes: of the decoder's states, an int or a list, each > 0: its cell's `state_size`.
        how: "zero", "copy" or "dense".
        activation: f of a dense bridge.

    Call arguments:
        states, a list of (batch, size); of `Bidirectional` the forward and the backward ones.

    Returns:
        a list of (batch, size), one for each of `sizes`.

    Raises:
        ValueError: for other names and sizes, and if states to copy are not of those sizes.

    Source:
        Bahdanau et al. 2015, A.2.2 (dense, from the backward state alone); Sutskever et al. 2014
        (copy).

    Deviations:
        none.

    Example:
        >>> import numpy as np
        >>> from seqkit.wiring import Bridge
        >>> [tuple(s.shape) for s in Bridge([5, 5])([np.ones((2, 3)), np.ones((2, 4))])]
        [(2, 5), (2, 5)]
    """

    def __init__(
        self,
        sizes: int | list[int],
        how: Literal["zero", "copy", "dense"] = "dense",
        activation: Activation = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if how not in ("zero", "copy", "dense"):
            raise ValueError(f"Bridge: how is {how!r}; it is 'zero', 'copy' or 'dense'")
        flat = tree.flatten(sizes)
        if not flat or not all(isinstance(n, int) and n > 0 for n in flat):
            raise ValueError(f"Bridge: sizes is {sizes!r}; it is a positive int, or a list of them")
        self.sizes = sizes
        self.how = how
        self.activation = keras.activations.get(activation)

    def build(self, states_shape: list[Shape]) -> None:
        is_one = not isinstance(states_shape[0], (tuple, list))
        given = [shape[-1] for shape in ([states_shape] if is_one else states_shape)]
        wanted = tree.flatten(self.sizes)
        if self.how == "copy" and given != wanted:
            raise ValueError(
                f"{self.name}: states of the sizes {given} can't be copied to states of the sizes "
                f"{wanted}; how='dense' can"
            )
        if self.how == "dense":
            self.kernel = self.add_weight(shape=(sum(given), sum(wanted)), name="kernel")
            self.bias = self.add_weight(shape=(sum(wanted),), initializer="zeros", name="bias")

    def call(self, states: Tensor) -> States:
        states = [ops.cast(s, self.compute_dtype) for s in tree.flatten(states)]
        sizes = tree.flatten(self.sizes)
        if self.how == "copy":
            return states
        if self.how == "zero":
            return [ops.zeros((ops.shape(states[0])[0], n), self.compute_dtype) for n in sizes]
        first = self.activation(
            ops.matmul(ops.concatenate(states, axis=-1), self.kernel) + self.bias
        )
        ends = [sum(sizes[: k + 1]) for k in range(len(sizes) - 1)]
        return list(ops.split(first, ends, axis=-1)) if ends else [first]
