"""Pure functions of tensors as operations of functional models."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from seqkit.typing import Nest


def operation(function: Callable) -> Callable:
    """Let a pure function of tensors accept the symbolic tensors of a functional model, too.

    Given a `keras.KerasTensor`, it becomes a step of the model, which is saved and exported with
    it. All other arguments are saved as they are: numbers, strings, None. Other calls run the
    function and nothing else.

    Args:
        function: Function at module level, of `keras.ops` alone; its name is unique in seqkit.

    Example:
        >>> from keras import ops
        >>> @operation
        ... def double(x):
        ...     return ops.add(x, x)
        >>> x = keras.Input((3,))
        >>> keras.Model(x, double(x)).output_shape
        (None, 3)
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Nest:
        if any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten((args, kwargs))):
            args, kwargs = keras.tree.map_structure(_as_python, (args, kwargs))
            return FunctionOperation(wrapper)(*args, **kwargs)
        return function(*args, **kwargs)

    return keras.saving.register_keras_serializable("seqkit")(wrapper)


@keras.saving.register_keras_serializable("seqkit")
class FunctionOperation(keras.Operation):
    """A function with the decorator `operation`, as a step of a functional model.

    Args:
        function: The decorated function.
    """

    def __init__(self, function: Callable, name: str | None = None) -> None:
        super().__init__(name or _unique(function.__name__))
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Nest:
        return self.function(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Nest:
        try:
            return super().compute_output_spec(*args, **kwargs)
        except ValueError as error:
            raise error.__context__ or error from None  # without Keras's advice for authors

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "function": keras.saving.serialize_keras_object(self.function),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FunctionOperation":
        return cls(keras.saving.deserialize_keras_object(config["function"]), config["name"])


def _unique(name: str) -> str:
    """Return the name, with a number from its second use, as Keras names layers."""
    count = keras.backend.get_uid(name)
    return name if count == 1 else f"{name}_{count - 1}"


def _as_python(x: Any) -> Any:
    """Convert a NumPy scalar to the number of Python, which a configuration can hold."""
    return x.item() if isinstance(x, np.generic) else x
