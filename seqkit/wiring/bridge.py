"""Bridge: from the last states of one recurrence to the initial states of another."""

import numbers
from typing import Any, Literal

import keras
from keras import ops, tree

from seqkit.checks import batch_of, check_known, check_shape, invalid, is_shape, one_of
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Activation, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class Bridge(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Initial states of a decoder, computed from the last states of an encoder.

        s_0 = 0                                     zero
        s_0 = h                                     copy
        s_0 = f(W [h_1; h_2; ...] + b)              dense

    Each state of a dense bridge depends on all states of the encoder, whatever their number and
    sizes.

    Args:
        sizes: Sizes of the decoder's states, an int or a list, each > 0: its cell's `state_size`.
        how: "zero", "copy" or "dense".
        activation: f of a dense bridge.

    Call arguments:
        states: A list of (batch, size); for `Bidirectional` the forward and the backward ones.

    Returns:
        A list of (batch, size), one for each of `sizes`.

    Raises:
        ValueError: If `how` or `sizes` is invalid, states to copy have other sizes, or states are
            not (batch, size).

    Source:
        Bahdanau et al. 2015, A.2.2 (dense, from the backward state alone); Sutskever et al. 2014
        (copy).

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
        flat = tree.flatten(sizes)
        if not flat or not all(isinstance(n, numbers.Integral) and n > 0 for n in flat):
            raise ValueError(
                f"Bridge: sizes is {sizes!r}; it must be a positive int, or a list of them"
            )
        self.sizes = tree.map_structure(int, sizes)
        self.how = one_of("how", how, ("zero", "copy", "dense"), self)
        self.activation = keras.activations.get(activation)
        self._given = None  # the sizes of the states that it was built for

    def build(self, states_shape: list[Shape]) -> None:
        if not states_shape:
            raise invalid(self, "there are no states; it needs at least one, (batch, size)")
        shapes = [states_shape] if is_shape(states_shape) else states_shape
        for shape in shapes:
            check_shape("a state", shape, {"batch": None, "size": None}, self)
            check_known("a state", shape, self)
        given = [shape[-1] for shape in shapes]
        self._given = tuple(given)
        wanted = tree.flatten(self.sizes)
        if self.how == "copy" and given != wanted:
            raise ValueError(
                f"{self.name}: states of sizes {given} can't be copied to states of sizes "
                f"{wanted}; use how='dense'"
            )
        if self.how == "dense":
            self.kernel = self.add_weight(shape=(sum(given), sum(wanted)), name="kernel")
            self.bias = self.add_weight(shape=(sum(wanted),), initializer="zeros", name="bias")

    def call(self, states: Tensor | States) -> States:
        states = tree.flatten(states)
        self._check_states(states)
        states = [ops.cast(s, self.compute_dtype) for s in states]
        sizes = tree.flatten(self.sizes)
        if self.how == "copy":
            return states
        if self.how == "zero":
            return [ops.zeros((ops.shape(states[0])[0], n), self.compute_dtype) for n in sizes]
        initial = self.activation(
            ops.matmul(ops.concatenate(states, axis=-1), self.kernel) + self.bias
        )
        ends = [sum(sizes[: k + 1]) for k in range(len(sizes) - 1)]
        return list(ops.split(initial, ends, axis=-1)) if ends else [initial]

    def _check_states(self, states: States) -> None:
        if len(states) != len(self._given):
            raise invalid(
                self, f"got {len(states)} states; it was built for {len(self._given)} states"
            )
        for state, size in zip(states, self._given, strict=True):
            axes = {"batch": batch_of(states[0]), "size": size}
            check_shape("a state", state, axes, self)

    def compute_output_shape(self, states_shape: list[Shape]) -> list[Shape]:
        batch = (states_shape if is_shape(states_shape) else states_shape[0])[0]
        return [(batch, n) for n in tree.flatten(self.sizes)]
