"""BeamSearch: decoded sequences as the output of a model."""

from typing import Any

import keras
from keras import ops, tree

from seqkit.checks import check_shape, invalid, is_shape, positive
from seqkit.decoding.beam import beam_search
from seqkit.decoding.lengths import EndSymbol
from seqkit.decoding.penalties import wu_penalty
from seqkit.outputs import TracedOutputs
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Nest, Shape, States, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class BeamSearch(ConfigFromSignature, TracedOutputs, keras.layers.Layer):
    """Layer that decodes with a model of one step, so that a model outputs sequences.

    A functional model with this layer is saved, loaded and exported like any other. For everything
    else (sampling, coverage, other lengths), see `beam_search`, the function.

    Args:
        step: A `keras.Model`, or a layer that is called like one, from [tokens (rows,) int, states
            ..., constants ...] to [log-probabilities (rows, vocabulary), new states ...]. Its
            layers can't be called elsewhere in a model with this layer: Keras would not load it.
        bos_id: First input token.
        eos_id: End symbol.
        max_length: Length at which sequences are cut, > 0.
        num_beams: Number of live hypotheses per sequence; 1 is greedy search.
        alpha: Exponent of `wu_penalty`, the length penalty, >= 0; 0: none.
        pad_id: Token after the end of a sequence.

    Call arguments:
        states: States before the first step, a list of (batch, ...).
        constants: Tensors (batch, ...) that each step reads, a list or None.

    Returns:
        Tokens (batch, max_length) int32 of the best sequence, and its score (batch,) float32,
        without gradients.

    Raises:
        ValueError: If `step` takes or returns other tensors; see also `beam_search`.

    Source:
        Goodfellow et al. 2016, 10.4; Wu et al. 2016, 7.

    Example:
        >>> from seqkit import GRUCell
        >>> from seqkit.decoding import BeamSearch
        >>> token, state = keras.Input((), dtype="int32"), keras.Input((8,))
        >>> h, (after,) = GRUCell(8)(keras.layers.Embedding(10, 4)(token), [state])
        >>> log_p = keras.layers.Activation("log_softmax")(keras.layers.Dense(10)(h))
        >>> step = keras.Model([token, state], [log_p, after])
        >>> initial = keras.Input((8,))
        >>> search = BeamSearch(step, bos_id=1, eos_id=2, max_length=5, num_beams=3)
        >>> keras.Model(initial, search([initial])[0]).output_shape
        (None, 5)
    """

    def __init__(
        self,
        step: keras.layers.Layer,
        bos_id: int,
        eos_id: int,
        max_length: int,
        num_beams: int = 1,
        alpha: float = 0.0,
        pad_id: int = 0,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.step = step
        self.bos_id = bos_id
        self.eos_id = eos_id
        self.max_length = positive("max_length", max_length, self)
        self.num_beams = positive("num_beams", num_beams, self)
        self.alpha = alpha
        self.pad_id = pad_id
        self.length_penalty = wu_penalty(alpha)

    def call(self, states: States, constants: Nest = None) -> tuple[Tensor, Tensor]:
        states, constants = tree.flatten(states), tree.flatten(constants)
        constants = [x for x in constants if x is not None]
        self._check(states, constants)
        states = [ops.stop_gradient(s) for s in states]  # a search has no gradient

        def step(tokens: Tensor, states: list, constants: list) -> tuple[Tensor, list]:
            found = tree.flatten(self.step([tokens, *states, *constants]))
            if len(found) != 1 + len(states):
                raise invalid(
                    self,
                    f"step returned {len(found)} tensors; it must return the log-probabilities and "
                    f"{len(states)} states",
                )
            return found[0], [ops.cast(a, b.dtype) for a, b in zip(found[1:], states, strict=True)]

        found = beam_search(
            step,
            states,
            constants,
            num_beams=self.num_beams,
            bos_id=self.bos_id,
            length=EndSymbol(self.eos_id),
            max_length=self.max_length,
            pad_id=self.pad_id,
            length_penalty=self.length_penalty,
        ).best()
        return found.tokens, ops.stop_gradient(found.scores)

    def _check(self, states: States, constants: list) -> None:
        """Raise a ValueError if states and constants are not what the step takes."""
        inputs = getattr(self.step, "inputs", None)
        if inputs is None:  # a layer
            return
        given = [*states, *constants]
        if len(inputs) != 1 + len(given):
            raise invalid(
                self,
                f"step takes {len(inputs)} tensors; there are the tokens, {len(states)} states and "
                f"{len(constants)} constants",
            )
        for i, (x, wanted) in enumerate(zip(given, inputs[1:], strict=True)):
            name = f"states[{i}]" if i < len(states) else f"constants[{i - len(states)}]"
            axes = {"batch": None} | {f"axis {k}": n for k, n in enumerate(wanted.shape) if k}
            check_shape(name, x, axes, self)

    def compute_output_shape(
        self, states_shape: list[Shape], constants_shape: Nest = None
    ) -> tuple[Shape, Shape]:
        batch = (states_shape if is_shape(states_shape) else states_shape[0])[0]
        return (batch, self.max_length), (batch,)
