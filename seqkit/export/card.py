"""The model card: what an export is, how it was made, how to call it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

import numpy as np

from seqkit.export.saved_model import Signature
from seqkit.export.values import shape_text

TEMPLATE = Path(__file__).with_name("card.md")
MAX_SHOWN = 100  # values of an example; the card shows a larger one as zeros


def model_card(
    title: str,
    *,
    name: str,
    data: str,
    licence: str,
    command: str,
    seed: int,
    scores: Mapping[str, float],
    signatures: Mapping[str, Signature],
    examples: Mapping[str, list[dict[str, np.ndarray]]],
    notes: str = "",
    operations: str = "",
) -> str:
    """Write the Markdown of a model card.

    Args:
        title: One line.
        name: The model's name on a server, which is the name of the folder of its versions.
        data: Training data, with its source.
        licence: License of the model.
        command: The shell command that trained it.
        seed: Seed of the training.
        scores: Metric -> value, on held-out data.
        signatures: As given to `write`.
        examples: As given to `write`; the usage shows the first one of "serving_default", if it is
            not too large.
        notes: Markdown: limits, and the outputs for unusual inputs.
        operations: Package whose operations the graph needs in addition to TensorFlow's, by its
            import name: `tensorflow_text`.

    Returns:
        The text of a README.md.
    """
    facts = {"Data": data, "License": licence, "Trained by": f"`{command}`", "Seed": seed}
    rows = []
    for signature, s in signatures.items():
        for direction, specs in (("input", s.inputs), ("output", s.outputs)):
            rows += [
                (f"`{signature}`", direction, f"`{key}`", spec.dtype.name, shape_text(spec))
                for key, spec in specs.items()
            ]
    example = examples["serving_default"][0]
    is_large = sum(map(np.size, example.values())) > MAX_SHOWN
    usage = _usage_with_zeros(example) if is_large else _usage(example)
    request = "" if is_large else _request(example, name)
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=title,
        facts=_table(("", ""), facts.items()),
        scores=_table(("metric", "value"), [(k, _number(v)) for k, v in scores.items()]),
        signatures=_table(("signature", "", "name", "type", "shape"), rows),
        packages=f"seqkit, TensorFlow and {operations}" if operations else "seqkit and TensorFlow",
        load=f"import {operations}  # registers operations of the graph\n" if operations else "",
        **usage,
        rest="\n\n".join(filter(None, (request, notes.strip()))),
    )
    return text.strip() + "\n"


def _usage(example: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the arguments of a call in Python, as values and as tensors."""
    plain = {key: _plain(value) for key, value in example.items()}
    return {
        "numpy": "",
        "values": ", ".join(f"{key}={value!r}" for key, value in plain.items()),
        "tensors": ", ".join(f"{key}=tf.constant({value!r})" for key, value in plain.items()),
    }


def _usage_with_zeros(example: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the same with zeros, for an example that is too large to show."""
    arrays = {key: np.asarray(value) for key, value in example.items()}
    return {
        "numpy": "import numpy as np\n",
        "values": ", ".join(f'{k}=np.zeros({a.shape}, "{a.dtype}")' for k, a in arrays.items()),
        "tensors": ", ".join(
            f"{k}=tf.zeros({list(a.shape)}, tf.{a.dtype})" for k, a in arrays.items()
        ),
    }


def _request(example: Mapping[str, np.ndarray], name: str) -> str:
    """Return a request to a server."""
    plain = {key: _plain(value) for key, value in example.items()}
    body = json.dumps({"inputs": plain}, ensure_ascii=False).replace("'", r"'\''")
    return (
        "With TensorFlow Serving, or any server with the same protocol:\n\n"
        f"```sh\ncurl -d '{body}' http://localhost:8501/v1/models/{name}:predict\n```"
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", r"\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _plain(value: np.ndarray) -> object:
    """Convert to nested lists of str and numbers, valid as Python and as JSON."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _number(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
