"""Types that annotations share; only a reader needs them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

# A tensor of the backend, a NumPy array or a `keras.KerasTensor`: no static type covers the three.
Tensor: TypeAlias = Any
# Tensors in lists, tuples and dicts, one inside the other; or a single tensor.
Nest: TypeAlias = Any
# The states of a recurrence, each (batch, size).
States: TypeAlias = list[Tensor]
# None: any size.
Shape: TypeAlias = tuple[int | None, ...]

Activation: TypeAlias = str | Callable[[Tensor], Tensor] | None
Initializer: TypeAlias = str | dict | keras.initializers.Initializer
Regularizer: TypeAlias = str | dict | keras.regularizers.Regularizer | None
# An int, a generator, or two ints in a tensor.
Seed: TypeAlias = int | keras.random.SeedGenerator | Tensor
