"""Load an export and call it with Python values; it needs neither Keras nor the layers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.export import golden, values
from seqkit.export.versions import resolve

DEFAULT = "serving_default"


def load(path: str | os.PathLike) -> "ExportedModel":
    """Load an export, to call it with Python values.

    Operations of tensorflow_text are loaded if the graph has any; the package must be installed.

    Args:
        path: The folder of all versions, of which the newest complete one is loaded, or a version.

    Returns:
        The model, whose call is its main signature.

    Raises:
        FileNotFoundError: If there is no export at `path`.
        ImportError: If the graph needs a package that isn't installed; the message names it.
        ValueError: If the export is damaged.

    Example:
        >>> model = load("saved_models/tagger")
        >>> print(model("Don't panic")["text"])
        Do/AUX n't/PART panic/NOUN
        >>> model(["Don't panic", "Thanks"])["text"].tolist()
        ["Do/AUX n't/PART panic/NOUN", 'Thanks/NOUN']
    """
    version = resolve(path)
    try:
        return ExportedModel(version, golden.load_model(version))
    except ImportError as error:
        raise ImportError(f"{version}: {error}") from None
    # A damaged file can make TensorFlow raise any of these.
    except (OSError, IndexError, KeyError, RuntimeError, ValueError, tf.errors.OpError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{version}: damaged ({problem}); export again") from None


class ExportedModel:
    """A loaded export; `load` makes it. Printed, it lists its signatures.

    Its attributes are `path`, the folder of the version; `signatures`, a dict of
    `ExportedSignature`; `card`, the Markdown of its model card, which describes the inputs and
    outputs; and `saved_model`, what `tf.saved_model.load` returned.

    Args:
        path: Folder of the version.
        saved_model: What `tf.saved_model.load` returned.

    Call arguments:
        As those of the signature `serving_default`.
    """

    def __init__(self, path: Path, saved_model: Any) -> None:
        self.path = path
        self.signatures = Signatures(
            (name, ExportedSignature(name, saved_model)) for name in saved_model.signatures
        )
        self.saved_model = saved_model

    @property
    def card(self) -> str:
        """The Markdown of the model card; empty if there is none."""
        card = self.path / "README.md"
        return card.read_text(encoding="utf-8") if card.is_file() else ""

    def __getattr__(self, name: str) -> Any:
        signatures = vars(self).get("signatures", {})
        remedy = f"; its signatures are {', '.join(signatures)}: signatures[{name!r}](...)"
        raise AttributeError(
            f"this export has no attribute {name!r}{remedy if name in signatures else ''}"
        )

    def __call__(self, *inputs: Any, **named_inputs: Any) -> dict[str, Any]:
        return self.signatures[DEFAULT](*inputs, **named_inputs)

    def __repr__(self) -> str:
        title = self.card.partition("\n")[0].removeprefix("# ")
        lines = [f"{self.path}: {title}" if title else str(self.path), *self.signatures.values()]
        return "\n  ".join(map(str, lines))


class Signatures(dict):
    """The signatures of an export by name."""

    def __missing__(self, name: str) -> None:
        raise KeyError(f"no signature {name!r}; choose among {', '.join(self)}")


class ExportedSignature:
    """A function of an export, which takes and returns Python values.

    Its attributes are `name`, and `inputs` and `outputs`, dicts of `tf.TensorSpec`.

    Args:
        name: Name of the signature.
        saved_model: What `tf.saved_model.load` returned.

    Call arguments:
        Strings, numbers, lists and arrays, by name; if the signature has one input, the name may be
        left out. In place of a list of strings, a single one may be given.

    Returns:
        Arrays by name, those of strings with elements of type str. For a single string, each array
        is that of the one row; a number or string is a Python value.

    Raises:
        ValueError: If an input is missing, unknown, or of another type or shape.
    """

    def __init__(self, name: str, saved_model: Any) -> None:
        function = saved_model.signatures[name]
        self.name, self._function = name, function
        self._saved_model = saved_model  # owns the variables of the function
        self.inputs: dict[str, tf.TensorSpec] = _sorted(function.structured_input_signature[1])
        self.outputs: dict[str, tf.TensorSpec] = _sorted(function.structured_outputs)

    def __call__(self, *inputs: Any, **named_inputs: Any) -> dict[str, Any]:
        try:
            given, is_single = self._rows(self._named(inputs, named_inputs))
            tensors = {
                name: values.as_tensor(given[name], spec, f"input {name!r}")
                for name, spec in self.inputs.items()
            }
        except ValueError as error:
            raise ValueError(f"{self.name}({_text(self.inputs)}): {error}") from None
        outputs = self._empty(tensors) or values.call(self._function, tensors, self.name)
        return {name: _value(outputs[name], is_single) for name in self.outputs}

    def __repr__(self) -> str:
        return f"{self.name}({_text(self.inputs)}) -> {_text(self.outputs)}"

    def _empty(self, tensors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor] | None:
        """Return the outputs of an empty batch, which not every graph can compute; None: not one.

        Sizes that are not known are 0.
        """
        batches = [name for name, spec in self.inputs.items() if spec.shape.rank]
        is_empty = batches and all(
            self.inputs[name].shape[0] is None and tensors[name].shape[0] == 0 for name in batches
        )
        shapes = [spec.shape for spec in self.outputs.values()]
        if not is_empty or not all(shape.rank and shape[0] is None for shape in shapes):
            return None
        return {
            name: tf.zeros([size or 0 for size in spec.shape], spec.dtype)
            for name, spec in self.outputs.items()
        }

    def _named(self, inputs: tuple, named_inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs and len(inputs) + len(named_inputs) == len(self.inputs) == 1:
            return dict(zip(self.inputs, inputs, strict=True))
        if inputs:
            raise ValueError("give its inputs by name")
        for name in named_inputs:
            if name not in self.inputs:
                raise ValueError(f"no input {name!r}")
        for name in self.inputs:
            if name not in named_inputs:
                raise ValueError(f"input {name!r} is missing")
        return named_inputs

    def _rows(self, given: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Make one row of single strings; return whether there are any."""
        lists = [n for n, s in self.inputs.items() if s.dtype == tf.string and s.shape.rank == 1]
        single = [name for name in lists if isinstance(given[name], str | bytes)]
        if single and single != lists:
            raise ValueError(f"give {', '.join(lists)} all as single strings, or all as lists")
        return given | {name: [given[name]] for name in single}, bool(single)


def _sorted(specs: Mapping[str, tf.TensorSpec]) -> dict[str, tf.TensorSpec]:
    return dict(sorted(specs.items()))


def _text(specs: Mapping[str, tf.TensorSpec]) -> str:
    texts = (f"{name}: {s.dtype.name} {values.shape_text(s)}" for name, s in specs.items())
    return ", ".join(texts)


def _value(tensor: tf.Tensor, is_single: bool) -> Any:
    """Convert to an array with elements of type str, a number or a str."""
    array = np.asarray((tensor[0] if is_single else tensor).numpy())
    if tensor.dtype == tf.string:
        texts = [string.decode("utf-8", "replace") for string in array.flat]
        array = np.array([*texts, None], object)[:-1].reshape(array.shape)
    return array if array.ndim else array.item()
