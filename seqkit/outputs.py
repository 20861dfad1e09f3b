"""Output shapes and dtypes of layers."""

from typing import Any

import keras

from seqkit.typing import Nest


class TracedOutputs:
    """Mixin of a layer whose symbolic outputs are found by tracing a call.

    Keras would take the shapes from `compute_output_shape` and give all outputs the compute dtype,
    but states and weights may have their own. List it before `keras.layers.Layer` in the bases.
    """

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Nest:
        try:
            return _Call(self).compute_output_spec(*args, **kwargs)
        except ValueError as error:
            # Keras puts advice for authors of layers before the one line of a check.
            raise error.__context__ or error from None


class _Call(keras.Operation):
    """All of a layer's call: in mixed precision, `call` alone would read its weights uncast."""

    def __init__(self, layer: keras.layers.Layer) -> None:
        super().__init__(name=layer.name)
        self.layer = layer

    def call(self, *args: Any, **kwargs: Any) -> Nest:
        return self.layer(*args, **kwargs)
