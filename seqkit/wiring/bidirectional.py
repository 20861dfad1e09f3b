"""Bidirectional: one layer reads forwards, another backwards (Deep Learning, 10.3)."""

from typing import Any

import keras
from keras import ops, tree

from seqkit.checks import as_mask, check_recurrent, check_sequence, invalid, one_of
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, States, Tensor

MERGES = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], axis=-1),
    # Not ops.add, which takes one of two empty batches for a bias.
    "sum": lambda forward, backward: forward + backward,
    "mul": ops.multiply,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: [forward, backward],
}


@keras.saving.register_keras_serializable(package="seqkit")
class Bidirectional(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Two recurrent layers, one reading forwards and one backwards, with their outputs merged.

        o_t = merge(h_t, g_t),   h = layer(x),   g = backward_layer(x), read from the end

    Each output depends on the whole sequence: on the past through h, on the future through g.

    Args:
        layer: A `seqkit.RNN`, or a recurrent layer of Keras; it is used as the forward layer.
        merge_mode: "concat", "sum", "mul", "ave", or None for a list of both outputs.
        backward_layer: A layer with `go_backwards=True`; its cell and size may differ. None: a
            layer configured like `layer`, with its own weights.

    Call arguments:
        sequences: (batch, time, features).
        mask: (batch, time) bool, True = real.
        initial_state: The forward states, then the backward ones.
        constants: As for `seqkit.RNN`.
        reset: As for `seqkit.RNN`.

    Returns:
        The merged outputs, in the order of the sequence; with return_state a tuple of them (both,
        if merge_mode is None), the forward and the backward states.

    Raises:
        ValueError: If the layers don't fit together, or their sizes can't be merged.

    Masking:
        As in the layers; the outputs of masked steps are zero.

    Source:
        Goodfellow et al. 2016, 10.3; Schuster and Paliwal 1997.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, Bidirectional, GRUCell, LSTMCell
        >>> layer = Bidirectional(
        ...     RNN(LSTMCell(4), return_sequences=True),
        ...     backward_layer=RNN(GRUCell(3), return_sequences=True, go_backwards=True),
        ... )
        >>> tuple(layer(np.zeros((2, 5, 6))).shape)
        (2, 5, 7)
    """

    stateful = False

    def __init__(
        self,
        layer: keras.layers.Layer,
        merge_mode: str | None = "concat",
        backward_layer: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        for name, direction in ("layer", layer), ("backward_layer", backward_layer or layer):
            check_recurrent(name, direction, self)
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(**kwargs)
        if getattr(layer, "stateful", False) or getattr(backward_layer, "stateful", False):
            raise ValueError(_NO_STREAM)
        self.layer = layer
        self.merge_mode = one_of("merge_mode", merge_mode, MERGES, self)
        self.backward_layer = _reversed(layer) if backward_layer is None else backward_layer
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self._features = None  # the last size of the sequences
        for name in "return_sequences", "return_state":
            if getattr(layer, name) != getattr(self.backward_layer, name):
                raise ValueError(f"Bidirectional: {name} must be the same for both layers")
        if layer.go_backwards or not self.backward_layer.go_backwards:
            raise ValueError(
                "Bidirectional: layer must read forwards (go_backwards=False) and backward_layer "
                "backwards (go_backwards=True)"
            )

    def build(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
        reset_shape: Shape | None = None,
    ) -> None:
        check_sequence("sequences", sequences_shape, self)
        self._features = sequences_shape[-1]
        extra = {} if constants_shape is None else {"constants_shape": constants_shape}
        for layer in self.directions:
            if not layer.built:
                layer.build(sequences_shape, **extra)
        outputs, _ = self._shapes(sequences_shape)
        widths = [shape[-1] for shape in outputs]
        if self.merge_mode in ("sum", "mul", "ave") and widths[0] != widths[1]:
            raise ValueError(
                f"Bidirectional: merge_mode {self.merge_mode!r} needs outputs of the same size; "
                f"they are {widths[0]} and {widths[1]}. 'concat' and None take any sizes"
            )

    @property
    def directions(self) -> tuple[keras.layers.Layer, keras.layers.Layer]:
        return self.layer, self.backward_layer

    def _shapes(self, sequences_shape: Shape) -> tuple[list[Shape], list[Shape]]:
        """Return the shapes of both layers' outputs, and of the forward and backward states."""
        shapes = [layer.compute_output_shape(sequences_shape) for layer in self.directions]
        if not self.return_state:
            return [tuple(shape) for shape in shapes], []
        return [tuple(first) for first, *_ in shapes], [s for _, *rest in shapes for s in rest]

    def compute_output_shape(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
        constants_shape: Nest = None,
        reset_shape: Shape | None = None,
    ) -> Shape | list[Shape] | tuple[Shape, ...]:
        check_sequence("sequences", sequences_shape, self)
        outputs, states = self._shapes(sequences_shape)
        if self.merge_mode == "concat":
            merged = [(*outputs[0][:-1], outputs[0][-1] + outputs[1][-1])]
        else:
            merged = outputs if self.merge_mode is None else outputs[:1]
        if self.return_state:
            return (*merged, *states)
        return merged if self.merge_mode is None else merged[0]

    def call(
        self,
        sequences: Tensor,
        mask: Mask = None,
        initial_state: States | None = None,
        constants: Nest = None,
        reset: Tensor | None = None,
        training: bool = False,
    ) -> Tensor:
        mask = getattr(sequences, "_keras_mask", None) if mask is None else mask
        check_sequence("sequences", sequences, self, self._features)
        mask = as_mask("mask", mask, sequences, self)
        extra = {"constants": constants, "reset": reset}
        extra = {k: v for k, v in extra.items() if v is not None}  # Keras's layers take neither
        results = [
            layer(sequences, mask=mask, initial_state=state, training=training, **extra)
            for layer, state in zip(self.directions, self._split_states(initial_state), strict=True)
        ]
        states = []
        if self.return_state:
            states = [s for _, *layer_states in results for s in layer_states]
            results = [output for output, *_ in results]
        forward, backward = results
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
            if mask is not None:
                real = mask[..., None]
                zero = ops.zeros((), forward.dtype)
                forward, backward = (ops.where(real, y, zero) for y in (forward, backward))
        merged = MERGES[self.merge_mode](forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _split_states(self, states: States | None) -> tuple[States | None, States | None]:
        if states is None:
            return None, None
        sizes = [len(tree.flatten(layer.state_size)) for layer in self.directions]
        states = tree.flatten(states)
        if len(states) != sum(sizes):
            raise invalid(
                self,
                f"initial_state has {len(states)} tensors; it takes {sizes[0]} for the forward and "
                f"{sizes[1]} for the backward layer",
            )
        return list(states[: sizes[0]]), list(states[sizes[0] :])

    def step(self, *args: Any, **kwargs: Any) -> None:
        """Raise a ValueError: a bidirectional layer can't run step by step."""
        raise ValueError(_NO_STREAM)

    def compute_mask(self, sequences: Tensor, mask: Mask = None) -> Tensor:
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        outputs = [mask, mask] if self.merge_mode is None else [mask]
        if not self.return_state:
            return outputs if self.merge_mode is None else mask
        return outputs + [None] * sum(len(tree.flatten(x.state_size)) for x in self.directions)


_NO_STREAM = (
    "Bidirectional can't be streamed: its backward layer starts at the end of the sequence. Use a "
    "forward RNN, or pass whole sequences"
)


def _reversed(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer of the same configuration that reads from the end."""
    config = layer.get_config()
    config |= {"go_backwards": True, "name": f"backward_{layer.name}"}
    return type(layer).from_config(config)
