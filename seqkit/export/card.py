"""The model card: what an export is, how it was made, how to call it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

import numpy as np
import tensorflow as tf

from seqkit.export.saved_model import Signature

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
                (f"`{signature}`", direction, f"`{key}`", spec.dtype.name, _shape(spec))
                for key, spec in specs.items()
            ]
    example = examples["serving_default"][0]
    if sum(map(np.size, example.values())) <= MAX_SHOWN:
        example = {key: _plain(value) for key, value in example.items()}
        arguments = ", ".join(f"{key}=tf.constant({value!r})" for key, value in example.items())
        body = json.dumps({"inputs": example}, ensure_ascii=False).replace("'", r"'\''")
        request = (
            "With TensorFlow Serving, or any server with the same protocol:\n\n"
            f"```sh\ncurl -d '{body}' http://localhost:8501/v1/models/{name}:predict\n```"
        )
    else:
        arguments = ", ".join(
            f"{key}=tf.zeros({list(np.shape(value))}, tf.{np.asarray(value).dtype})"
            for key, value in example.items()
        )
        request = ""
    text = Template(TEMPLATE.read_text()).substitute(
        title=title,
        facts=_table(("", ""), facts.items()),
        scores=_table(("metric", "value"), [(k, _number(v)) for k, v in scores.items()]),
        signatures=_table(("signature", "", "name", "type", "shape"), rows),
        packages=f"TensorFlow and {operations}" if operations else "TensorFlow alone",
        load=f"import {operations}  # registers operations of the graph\n" if operations else "",
        arguments=arguments,
        rest="\n\n".join(filter(None, (request, notes.strip()))),
    )
    return text.strip() + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", r"\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _shape(spec: tf.TensorSpec) -> str:
    if spec.shape.rank is None:
        return "any"
    return "(" + ", ".join("?" if d is None else str(d) for d in spec.shape) + ")"


def _plain(value: np.ndarray) -> object:
    """Convert to nested lists of str and numbers, valid as Python and as JSON."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _number(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
