"""Write a SavedModel version: named signatures, golden examples, warm-up records, model card."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from seqkit.export import golden, values, warmup
from seqkit.export.versions import new_version

if TYPE_CHECKING:  # an export is loaded without Keras
    import keras


@dataclass(frozen=True)
class Signature:
    """One function of an export, with named and typed inputs.

    Args:
        function: Called as `function(**tensors)`, returns `dict[str, tensor]`. It is traced once,
            without autograph, and must not be compiled by XLA, which stock servers disable on CPU.
        inputs: The spec of each argument; `None` dimensions are dynamic.

    Raises:
        ValueError: If an input is not a named `tf.TensorSpec`, or the function's outputs are not a
            dict of tensors.

    Example:
        >>> double = Signature(lambda x: {"y": 2 * x}, {"x": tf.TensorSpec([None], tf.float32)})
        >>> double.outputs
        {'y': TensorSpec(shape=(None,), dtype=tf.float32, name='y')}
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]

    def __post_init__(self) -> None:
        for name, spec in self.inputs.items():
            if not isinstance(spec, tf.TensorSpec):
                raise ValueError(f"input {name!r}: expected a tf.TensorSpec, got {spec!r}")
            if not name.isidentifier():
                raise ValueError(f"input {name!r}: the name must be a Python identifier")

    @functools.cached_property
    def concrete(self) -> tf.types.experimental.ConcreteFunction:
        """The function, traced for `inputs` only."""
        specs = {
            name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in self.inputs.items()
        }
        concrete = tf.function(self.function, autograph=False).get_concrete_function(**specs)
        outputs = concrete.structured_outputs
        if not isinstance(outputs, Mapping) or not all(
            name.isidentifier() and isinstance(value, tf.TensorSpec | tf.Tensor)
            for name, value in outputs.items()
        ):
            raise ValueError(
                "a signature's function must return a dict of tensors named by Python "
                f"identifiers, got {outputs!r}"
            )
        library = concrete.graph.as_graph_def().library.function
        if any("_XlaMustCompile" in f.attr and f.attr["_XlaMustCompile"].b for f in library):
            raise ValueError(
                "a signature's function calls a tf.function(jit_compile=True), which servers "
                "without XLA can't run; call the plain function instead"
            )
        return concrete

    @property
    def outputs(self) -> dict[str, tf.TensorSpec]:
        """The spec of each output."""
        return {
            name: tf.TensorSpec(value.shape, value.dtype, name)
            for name, value in self.concrete.structured_outputs.items()
        }


def write(
    root: str | os.PathLike,
    module: "tf.Module | keras.layers.Layer | Sequence[tf.Module | keras.layers.Layer]",
    signatures: dict[str, Signature],
    examples: dict[str, list[dict[str, np.ndarray]]],
    card: str,
    version: int | None = None,
    extra: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write `<root>/<version>/`, completely or not at all.

    In addition to the SavedModel, it contains the golden examples (`assets.extra/golden/`),
    TensorFlow Serving's warm-up records (`assets.extra/tf_serving_warmup_requests`) and
    `README.md`.

    Args:
        root: Folder of all versions; its name is the model's name on a server.
        module: Owner of the variables and lookup tables that the signatures use, or several.
            Optimizers are left out.
        signatures: Signatures by name; "serving_default" must be among them.
        examples: At least one dict of inputs for each signature; the outputs are computed here and
            stored.
        card: The model card, Markdown.
        version: Number of the version; by default the highest existing one plus one.
        extra: Further files, by name, for `assets.extra/`, which servers ignore; text is written as
            UTF-8.

    Returns:
        The path of the version.

    Raises:
        FileExistsError: If the version exists; nothing is written.
        ValueError: If a signature or an example is not as described.
    """
    if "serving_default" not in signatures:
        raise ValueError(f"signatures must contain 'serving_default', got {sorted(signatures)}")
    if unknown := sorted(set(examples) - set(signatures)):
        raise ValueError(f"examples for {unknown}, which are not signatures")
    inputs = {name: _check(name, signatures[name], examples) for name in signatures}
    outputs = {name: _run(name, signatures[name], inputs[name]) for name in signatures}

    with new_version(root, version) as (staging, final):
        functions = {name: signature.concrete for name, signature in signatures.items()}
        modules = module if isinstance(module, Sequence) else [module]
        tf.saved_model.save(_owner(modules, functions.values()), str(staging), functions)

        for name in signatures:
            golden.save(staging, name, zip(inputs[name], outputs[name], strict=True))
        warmup.save(staging, Path(root).resolve().name, inputs)
        for name, content in (extra or {}).items():
            content = content.encode() if isinstance(content, str) else content
            (staging / "assets.extra" / name).write_bytes(content)
        (staging / "README.md").write_text(card, encoding="utf-8", newline="\n")
    return final


def _owner(
    modules: "Iterable[tf.Module | keras.layers.Layer]",
    functions: Iterable[tf.types.experimental.ConcreteFunction],
) -> tf.Module:
    """Collect what the functions use, and nothing else: no optimizer, no function twice."""
    used = [variable for function in functions for variable in function.graph.variables]
    parts = [part for module in modules for part in tf.train.TrackableView(module).descendants()]
    owner = tf.Module()
    owner.used = list({id(variable): variable for variable in used}.values())
    owner.resources = [
        part for part in parts if isinstance(part, tf.saved_model.experimental.TrackableResource)
    ]
    return owner


def _check(
    name: str, signature: Signature, examples: dict[str, list[dict[str, np.ndarray]]]
) -> list[dict[str, tf.Tensor]]:
    """Convert the examples of a signature to tensors of its specs, or raise a ValueError."""
    if not name.isidentifier():
        raise ValueError(f"signature {name!r}: the name must be a Python identifier")
    if not examples.get(name):
        raise ValueError(f"signature {name!r}: no example; an export needs one for its self-test")
    checked = []
    for i, example in enumerate(examples[name]):
        where = f"signature {name!r}, example {i}"
        if set(example) != set(signature.inputs):
            raise ValueError(f"{where}: inputs {sorted(example)}, not {sorted(signature.inputs)}")
        checked.append({})
        for key, spec in signature.inputs.items():
            checked[-1][key] = values.as_tensor(example[key], spec, f"{where}, input {key!r}")
    return checked


def _run(
    name: str, signature: Signature, examples: list[dict[str, tf.Tensor]]
) -> list[dict[str, tf.Tensor]]:
    """Compute the golden outputs, by the same function that is saved."""
    return [
        values.call(signature.concrete, inputs, f"signature {name!r} fails on its example {i}")
        for i, inputs in enumerate(examples)
    ]
