"""A layer under test, its inputs, and the operations that the checks share."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from seqkit.typing import Nest, Shape, Tensor


@dataclass(frozen=True)
class Case:
    """A layer's factory and the arguments of a call; `arrays` are all arrays among them, flat."""

    make: Callable[[], keras.layers.Layer]
    inputs: Nest
    call_kwargs: dict[str, Any] = field(default_factory=dict)
    sequence: bool = True

    def __post_init__(self) -> None:
        converted = keras.tree.map_structure(_in_floatx, (self.inputs, self.call_kwargs))
        for name, value in zip(("inputs", "call_kwargs"), converted, strict=True):
            object.__setattr__(self, name, value)

    @property
    def arrays(self) -> list[np.ndarray]:
        return [leaf for leaf in self._leaves if isinstance(leaf, np.ndarray)]

    @property
    def length(self) -> int | None:
        """Number of time steps of the first sequence among the inputs; None if there is none."""
        arrays = (leaf for leaf in keras.tree.flatten(self.inputs) if isinstance(leaf, np.ndarray))
        return next((array.shape[1] for array in arrays if self.has_time(array)), None)

    @property
    def _leaves(self) -> list[Any]:
        return keras.tree.flatten((self.inputs, self.call_kwargs))

    def has_time(self, array: np.ndarray) -> bool:
        """Return whether axis 1 is time: floats have 3 or more axes, ids and flags 2 or more."""
        return self.sequence and array.ndim >= (3 if is_floating(array) else 2)

    def call(self, layer: keras.layers.Layer, arrays: list | None = None, **kwargs: Any) -> Nest:
        """Call `layer`, with `arrays` (tensors, symbols) in place of the case's own."""
        given = iter(self.arrays if arrays is None else arrays)
        leaves = [next(given) if isinstance(leaf, np.ndarray) else leaf for leaf in self._leaves]
        inputs, call_kwargs = keras.tree.pack_sequence_as((self.inputs, self.call_kwargs), leaves)
        return layer(inputs, **{**call_kwargs, **kwargs})

    def numbers(
        self, layer: keras.layers.Layer, arrays: list | None = None, **kwargs: Any
    ) -> list[np.ndarray]:
        """Call `layer`; return its outputs as a flat list of NumPy arrays."""
        return flat_arrays(self.call(layer, arrays, **kwargs))

    def symbols(self, dynamic: bool = True) -> list[keras.KerasTensor]:
        """Create symbolic inputs; `dynamic` leaves the sizes of batch and time open."""
        return [
            keras.Input(batch_shape=self.open_shape(array) if dynamic else array.shape, dtype=dtype)
            for array, dtype in ((array, str(array.dtype)) for array in self.arrays)
        ]

    def open_shape(self, array: np.ndarray) -> Shape:
        """Return the array's shape with None for batch and time."""
        opened = 2 if self.has_time(array) else 1
        return (None,) * opened + array.shape[opened:]

    def model(self, layer: keras.layers.Layer) -> keras.Model:
        """Build a functional model from `arrays` to the flat list of the call's outputs."""
        symbols = self.symbols()
        return keras.Model(symbols, keras.tree.flatten(self.call(layer, symbols)))

    def layer(self) -> keras.layers.Layer:
        """Make and build a layer; add noise to its weights, since 0 and 1 hide errors."""
        layer = self.make()
        self.call(layer)
        random = np.random.default_rng(0)
        for weight in layer.trainable_weights:
            noise = 0.1 * random.standard_normal(weight.shape)
            weight.assign(keras.ops.convert_to_numpy(weight) + noise.astype(weight.dtype))
        return layer

    def gradients(
        self, layer: keras.layers.Layer, loss: Callable[[Nest], Tensor], *args: Any, **kwargs: Any
    ) -> list[np.ndarray | None]:
        """Compute d loss(outputs) / d w for each trainable weight w of the built `layer`."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                value = loss(self.call(layer, *args, **kwargs))
            found = tape.gradient(value, [weight.value for weight in layer.trainable_weights])
            found = [None if grad is None else tf.convert_to_tensor(grad) for grad in found]
        else:
            import jax

            def loss_of_weights(weights: list[Tensor]) -> Tensor:
                mapping = zip(layer.trainable_variables, weights, strict=True)
                with keras.StatelessScope(state_mapping=mapping):
                    return loss(self.call(layer, *args, **kwargs))

            found = jax.grad(loss_of_weights)([weight.value for weight in layer.trainable_weights])
        return [None if grad is None else keras.ops.convert_to_numpy(grad) for grad in found]


def flat_arrays(nest: Nest) -> list[np.ndarray]:
    """Convert the leaves of a nest of tensors to NumPy arrays."""
    return [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(nest)]


def flipped(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Return other inputs of the same shapes: the examples in reversed order, halved."""
    return [
        (array[::-1] / 2 if is_floating(array) else array[::-1]).astype(array.dtype)
        for array in arrays
    ]


def assert_same(
    found: list[np.ndarray], wanted: list[np.ndarray], what: str, tolerance: float = 1e-5
) -> None:
    """Assert that two flat lists of arrays are equal up to rounding; NaN equals nothing."""
    assert len(found) == len(wanted), f"{what}: {len(found)} arrays, not {len(wanted)}"
    for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_allclose(
            one.astype("float64"),
            other.astype("float64"),
            rtol=tolerance,
            atol=tolerance,
            equal_nan=False,
            err_msg=f"{what} (number {index}) differ",
        )


def dtype_of(leaf: Tensor) -> str:
    """Return the name of the leaf's dtype."""
    return keras.backend.standardize_dtype(leaf.dtype)


def is_floating(leaf: Tensor) -> bool:
    """Return whether the leaf's dtype is a float."""
    return "float" in dtype_of(leaf)


def weighted_sum(outputs: Nest) -> Tensor:
    """Sum all outputs with random weights: a plain sum hides a softmax, which sums to 1."""
    random = np.random.default_rng(1)
    total = 0.0
    for leaf in filter(is_floating, keras.tree.flatten(outputs)):
        weights = random.standard_normal(leaf.shape).astype("float32")
        total += keras.ops.sum(weights * keras.ops.cast(leaf, "float32"))
    return total


def takes(layer: keras.layers.Layer, argument: str) -> bool:
    """Return whether the layer's `call` has this argument."""
    return argument in inspect.signature(layer.call).parameters


def walk_attributes(layer: keras.layers.Layer, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of all attributes of a layer and its sub-layers, except Keras's own."""
    bookkeeping = vars(keras.layers.Layer()).keys()
    visited = set()

    def walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
        if id(value) in visited:
            return
        visited.add(id(value))
        yield path, value
        if isinstance(value, keras.layers.Layer):
            for name, attribute in vars(value).items():
                if name not in bookkeeping:
                    yield from walk(f"{path}.{name}", attribute)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk(f"{path}[{key!r}]", item)
        elif isinstance(value, list | tuple | set):
            for index, item in enumerate(value):
                yield from walk(f"{path}[{index}]", item)

    yield from walk(where or "self", layer)


def _in_floatx(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and is_floating(leaf):
        return leaf.astype(keras.backend.floatx())
    return leaf
