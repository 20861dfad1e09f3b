"""Shared type aliases for annotations."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

# A backend tensor, a NumPy array or a `keras.KerasTensor`: no static type covers all three.
Tensor: TypeAlias = Any
# Arbitrarily nested lists, tuples and dicts of tensors (or of shapes); or a single one.
Nest: TypeAlias = Any
# The states of a recurrence, each (batch, size).
States: TypeAlias = list[Tensor]
# True = real, (batch, time) bool; None: every step is real.
Mask: TypeAlias = Tensor | None
# Number of rows, an int or a scalar tensor; None: unknown.
Size: TypeAlias = int | Tensor | None
# None: any size.
Shape: TypeAlias = tuple[int | None, ...]

Activation: TypeAlias = str | Callable[[Tensor], Tensor] | None
Initializer: TypeAlias = str | dict | keras.initializers.Initializer
Regularizer: TypeAlias = str | dict | keras.regularizers.Regularizer | None
# An int, a generator, or a tensor of two ints.
Seed: TypeAlias = int | keras.random.SeedGenerator | Tensor
