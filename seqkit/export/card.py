"""The model card: what the export is, where it comes from, how to call it."""

import json
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from seqkit.export.saved_model import Signature

SHOWN = 100  # numbers of an example, at most; a larger one is zeros in the card


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
    """The markdown of a model card.

    Args:
        title: one line.
        name: the model's name on a server, which is the name of the folder of its versions.
        data: what it was trained on, with source.
        licence: of the model.
        command: the shell command that trained it.
        seed: of that training.
        scores: metric -> value, on held-out data.
        signatures: as given to `write`.
        examples: as given to `write`; the first of "serving_default" is shown in the usage, if it
            is not too large.
        notes: markdown; limits, and what unusual inputs get.
        operations: package whose operations the graph has beside TensorFlow's own, as it is
            imported: `tensorflow_text`.

    Returns:
        The text of a README.md.
    """
    facts = {"Data": data, "Licence": licence, "Trained by": f"`{command}`", "Seed": seed}
    rows = []
    for signature, s in signatures.items():
        for direction, specs in (("input", s.inputs), ("output", s.outputs)):
            rows += [
                (f"`{signature}`", direction, f"`{key}`", spec.dtype.name, _shape(spec))
                for key, spec in specs.items()
            ]
    example = examples["serving_default"][0]
    if sum(map(np.size, example.values())) <= SHOWN:
        example = {key: _plain(value) for key, value in example.items()}
        arguments = ", ".join(f"{key}=tf.constant({value!r})" for key, value in example.items())
        body = json.dumps({"inputs": example}, ensure_ascii=False).replace("'", r"'\''")
        request = (
            "From TensorFlow Serving, or any server of its protocol:\n\n"
            f"```sh\ncurl -d '{body}' http://localhost:8501/v1/models/{name}:predict\n```"
        )
    else:
        arguments = ", ".join(
            f"{key}=tf.zeros({list(np.shape(value))}, tf.{np.asarray(value).dtype})"
            for key, value in example.items()
        )
        request = ""
    beside = f" and {operations}" if operations else " alone"
    load = f"import {operations}  # has operations of the graph\n" if operations else ""
    sections = [
        f"# {title}",
        _table(("", ""), facts.items()),
        "## Scores",
        _table(("metric", "value"), [(k, _number(v)) for k, v in scores.items()]),
        "## Signatures",
        "`?` is any size.",
        _table(("signature", "", "name", "type", "shape"), rows),
        "## Use",
        f"In Python, with TensorFlow{beside}:",
        "```python\n"
        f"import tensorflow as tf\n{load}\n"
        'model = tf.saved_model.load("PATH/OF/THIS/FOLDER")  # keep it: it owns the variables\n'
        'answer = model.signatures["serving_default"]\n'
        f"print(answer({arguments}))\n"
        "```",
        request,
        notes.strip(),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _table(header: tuple, rows: object) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", r"\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _shape(spec: tf.TensorSpec) -> str:
    if spec.shape.rank is None:
        return "any"
    return "(" + ", ".join("?" if d is None else str(d) for d in spec.shape) + ")"


def _plain(value: np.ndarray) -> object:
    """Nested lists of str and numbers: readable as Python and as JSON."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _number(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
