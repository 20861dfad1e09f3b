"""Layer configurations derived from the signature of `__init__`."""

import copy
import inspect
from typing import Any, Self

import keras


class ConfigFromSignature:
    """Mixin whose `get_config` returns the arguments of `__init__`, read back from attributes.

    It requires one thing of a layer: each `__init__`, from its class up to `keras.layers.Layer`,
    keeps its named arguments in attributes of the same names, and passes the others on as
    `**kwargs`. Nested layers, initializers and functions are serialized, and restored on a copy, so
    that `from_config` never changes the caller's dictionary. List it before `keras.layers.Layer` in
    the bases.
    """

    def get_config(self) -> dict[str, Any]:
        arguments = {}
        for cls in type(self).__mro__:
            if cls is keras.layers.Layer:
                break
            if "__init__" in vars(cls):
                arguments.update(inspect.signature(cls.__init__).parameters)
        return super().get_config() | {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name, parameter in arguments.items()
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = copy.deepcopy(config)  # deserializing a functional model changes its configuration
        return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})
