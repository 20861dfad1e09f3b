"""Golden examples: inputs with the outputs of the exported functions, stored in the export.

`save` writes them. Run as a script by path (`python -P golden.py VERSION_FOLDER`), this file is the
isolated half of the self-test: it makes Keras, seqkit and apps unimportable, loads the export,
replays the examples and prints one JSON line. So it imports nothing but NumPy and TensorFlow.
"""

import importlib.util
import json
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

BLOCKED = ("keras", "seqkit", "apps")
FOLDER = Path("assets.extra") / "golden"

# (rtol, atol) by item size. On another CPU or thread count, sums are in another order: a few units
# in the last place per operation, which recurrent layers accumulate. Integers and strings must be
# equal.
TOLERANCE = {2: (1e-2, 1e-2), 4: (1e-4, 1e-5), 8: (1e-4, 1e-5)}


class Drift(Exception):
    """Raised when outputs of an export differ from those stored when it was written."""


def save(version: Path, signature: str, examples: Iterable[tuple[dict, dict]]) -> None:
    """Write `assets.extra/golden/<signature>.npz`.

    Args:
        version: Folder of the version.
        signature: Name of the signature.
        examples: Pairs (inputs, outputs), each a dict of eager tensors.
    """
    arrays = {}
    for i, (inputs, outputs) in enumerate(examples):
        for side, tensors in (("inputs", inputs), ("outputs", outputs)):
            for name, tensor in tensors.items():
                arrays |= _encode(f"{i}/{side}/{name}", tensor)
    (version / FOLDER).mkdir(parents=True, exist_ok=True)
    np.savez_compressed(version / FOLDER / f"{signature}.npz", **arrays)


def load(path: Path) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Read the examples that `save` wrote; strings are object arrays of bytes."""
    examples = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays:
            i, side, name, *part = key.split("/")
            if part == ["lengths"]:
                continue
            value = arrays[key]
            if part == ["bytes"]:
                value = _decode(value, arrays[f"{i}/{side}/{name}/lengths"])
            examples.setdefault(int(i), ({}, {}))[side == "outputs"][name] = value
    return [examples[i] for i in sorted(examples)]


def _encode(key: str, tensor) -> dict[str, np.ndarray]:  # noqa: ANN001 (no TensorFlow at import)
    """Convert to arrays that need no pickle; NumPy's own strings would lose trailing NUL bytes."""
    if tensor.dtype == "string":
        strings = np.asarray(tensor.numpy(), dtype=object)
        return {
            f"{key}/bytes": np.frombuffer(b"".join(strings.flat), np.uint8),
            f"{key}/lengths": np.array([len(s) for s in strings.flat], np.int64).reshape(
                strings.shape
            ),
        }
    array = np.asarray(tensor.numpy())
    # NumPy can't store bfloat16; every bfloat16 is exactly a float32.
    return {key: array.astype(np.float32) if tensor.dtype == "bfloat16" else array}


def _decode(data: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Split concatenated bytes into an object array of strings of the given lengths."""
    ends = np.cumsum(lengths.ravel())
    strings = np.empty(lengths.size, object)
    for i, (end, length) in enumerate(zip(ends, lengths.flat, strict=True)):
        strings[i] = data[end - length : end].tobytes()
    return strings.reshape(lengths.shape)


def compare(got: np.ndarray, expected: np.ndarray, itemsize: int) -> float:
    """Return the largest absolute difference of two outputs; 0 for equal integers and strings.

    Args:
        got: The output.
        expected: The golden output.
        itemsize: Bytes of the output's original dtype, which sets the tolerance of floats.

    Raises:
        Drift: If shapes, dtypes or values differ.
    """
    if got.shape != expected.shape or got.dtype != expected.dtype:
        raise Drift(
            f"{got.dtype} of shape {got.shape}, not {expected.dtype} of shape {expected.shape}"
        )
    if expected.dtype.kind not in "fc":
        if (count := int(np.sum(got != expected))) > 0:
            raise Drift(f"{count} of {expected.size} values differ")
        return 0.0
    rtol, atol = TOLERANCE[itemsize if expected.dtype.kind == "f" else 8]
    with np.errstate(invalid="ignore"):  # inf - inf
        difference = np.where(got == expected, 0.0, np.abs(got - expected))
    finite = difference[np.isfinite(difference)]
    largest = float(finite.max(initial=0.0))
    if not np.allclose(got, expected, rtol=rtol, atol=atol, equal_nan=True):
        raise Drift(f"largest difference {largest:.3g} (rtol {rtol:g}, atol {atol:g})")
    return largest


def load_model(version: Path):  # noqa: ANN201 (no TensorFlow at import)
    """Load a SavedModel, with the operations of tensorflow_text if its graph needs them.

    Servers have them linked. In Python the libraries are loaded, not the package, which imports
    Keras; and only if an operation is missing, since most exports use only TensorFlow's own.

    Raises:
        RuntimeError: If an operation is still unknown.
        FileNotFoundError: The same, as TensorFlow raises it.
        ImportError: If an operation is unknown and tensorflow_text is not installed.
    """
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(version))
    except (FileNotFoundError, RuntimeError) as error:
        if "Op type not registered" not in str(error):
            raise
    if (package := importlib.util.find_spec("tensorflow_text")) is None:
        raise ImportError(
            "the graph has operations that TensorFlow lacks: pip install tensorflow-text"
        )
    for library in Path(package.origin).parent.glob("python/ops/*.so"):
        tf.load_op_library(str(library))
    return tf.saved_model.load(str(version))


def replay(version: Path, repeats: int = 5) -> dict:
    """Load the export, replay every golden example, and time the signatures.

    Args:
        version: Folder of the version.
        repeats: Number of timed calls of each signature's first example.

    Returns:
        signatures, examples (their number), largest_difference (absolute, over all float outputs),
        load_seconds, latency_ms (median by signature).

    Raises:
        Drift: If an output differs.
        FileNotFoundError: If a golden file is missing.
    """
    import tensorflow as tf

    started = time.perf_counter()
    loaded = load_model(version)  # keep it: it owns the variables of its functions
    load_seconds = time.perf_counter() - started

    stored = {path.stem for path in (version / FOLDER).glob("*.npz")}
    if missing := sorted(stored - set(loaded.signatures)):
        raise Drift(f"signatures {missing} have golden examples but are not in the export")
    count, largest, latency = 0, 0.0, {}
    for name, function in loaded.signatures.items():
        path = version / FOLDER / f"{name}.npz"
        if not path.is_file():
            raise FileNotFoundError(f"no golden examples for signature {name!r} ({path.name})")
        specs = function.structured_input_signature[1]
        for i, (inputs, expected) in enumerate(load(path)):
            where = f"signature {name!r}, example {i}"
            if set(inputs) != set(specs):
                raise Drift(f"{where}: inputs are {sorted(specs)}, not {sorted(inputs)}")
            tensors = {k: tf.constant(v, specs[k].dtype) for k, v in inputs.items()}
            outputs = function(**tensors)
            if set(outputs) != set(expected):
                raise Drift(f"{where}: outputs are {sorted(outputs)}, not {sorted(expected)}")
            for key, tensor in outputs.items():
                got = tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor
                try:
                    size = tensor.dtype.size
                    difference = compare(np.asarray(got.numpy()), expected[key], size)
                except Drift as drift:
                    raise Drift(f"{where}, output {key!r}: {drift}") from None
                largest = max(largest, difference)
            count += 1
            if i == 0:
                latency[name] = _median_ms(function, tensors, repeats)
    return {
        "signatures": sorted(latency),
        "examples": count,
        "largest_difference": largest,
        "load_seconds": round(load_seconds, 3),
        "latency_ms": latency,
    }


def _median_ms(function, tensors: dict, repeats: int) -> float:  # noqa: ANN001
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        for output in function(**tensors).values():
            output.numpy()
        seconds.append(time.perf_counter() - started)
    return round(1000 * float(np.median(seconds)), 3)


def block_imports() -> None:
    """Make Keras, seqkit and apps unimportable for the rest of the process."""
    if loaded := sorted(set(BLOCKED) & set(sys.modules)):
        raise ImportError(f"{loaded} are already imported; start a fresh process")
    # None makes `import` fail, but TensorFlow can still check whether Keras is there.
    sys.modules.update(dict.fromkeys(BLOCKED))


def main() -> int:
    """Run as a script; exit code 0: passed; 1: drift; 2: the export can't be loaded or run."""
    version = Path(sys.argv[1])
    block_imports()
    try:
        report, code = replay(version), 0
    except Drift as drift:
        report, code = {"error": f"drift: {drift}"}, 1
    except (zipfile.BadZipFile, EOFError) as error:
        report, code = {"error": f"damaged golden file: {error}"}, 2
    except Exception as error:  # a damaged file can make TensorFlow raise anything
        line = next(iter(str(error).strip().splitlines()), "")
        report, code = {"error": f"{type(error).__name__}: {line}"}, 2
    print(json.dumps(report), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
