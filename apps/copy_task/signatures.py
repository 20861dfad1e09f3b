"""The export: signatures, notes of the model card, golden inputs."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.files import read_sibling
from apps.common.run_folder import load_model
from apps.copy_task import NAME
from apps.copy_task.config import Config
from apps.copy_task.served import ServedSequenceModel
from apps.copy_task.tasks import task
from seqkit.export import Signature

_TITLES = {
    "copy": "Copy of a sequence of bits",
    "repeat_copy": "Repeated copy of a sequence of bits",
    "associative_recall": "Associative recall of items of bits",
    "priority_sort": "Vectors of bits, sorted by priority",
}
_CELLS = {
    "ntm": "neural Turing machine",
    "dnc": "differentiable neural computer",
    "sparse_ntm": "neural Turing machine with sparse access",
    "lstm": "LSTM",
}


def export(config: Config, run: Path) -> list[Export]:
    """Describe the export of a run folder: its best model so far."""
    module = ServedSequenceModel(load_model(run), copies=config.task == "copy")
    signatures = signatures_of(module)
    notes = read_sibling(__file__, "notes_copy.md" if module.copies else "notes_task.md")
    return [
        Export(
            name=NAME,
            module=module,
            signatures=signatures,
            examples=_examples(module, signatures, config),
            title=f"{_TITLES[config.task]} ({_CELLS[config.cell]})",
            data=f"random bits, generated on the fly; lengths up to {config.max_length}",
            licence="Apache-2.0",
            splits=("test",),
            notes=notes.format(start=config.bits, end=config.bits + 1),
        )
    ]


def signatures_of(module: ServedSequenceModel) -> dict[str, Signature]:
    """Return the signatures, with their names and the types of their arguments."""
    vector = tf.TensorSpec([None, module.input_size], tf.float32)
    batch_size = {"batch_size": tf.TensorSpec([], tf.int32)}
    init = Signature(lambda batch_size: module.init(batch_size), batch_size)
    state = {name: tf.TensorSpec(spec.shape, spec.dtype) for name, spec in init.outputs.items()}
    if module.copies:
        bits = tf.TensorSpec([None, None, module.output_size], tf.float32)
        default = Signature(lambda bits: module.copy(bits), {"bits": bits})
    else:
        inputs = tf.TensorSpec([None, None, module.input_size], tf.float32)
        default = Signature(lambda inputs: module.run(inputs), {"inputs": inputs})
    return {
        "serving_default": default,
        "init": init,
        "step": Signature(lambda **tensors: module.step(**tensors), {"vector": vector, **state}),
    }


def _examples(
    module: ServedSequenceModel, signatures: dict[str, Signature], config: Config
) -> dict[str, list[dict[str, np.ndarray]]]:
    """Return golden inputs: sequences of several lengths, and the first steps of one."""
    random = np.random.default_rng(0)
    drawn = [task(config).sample(random, length) for length in (2, 5, config.max_length)]
    if module.copies:
        whole = [{"bits": sequence.targets[None, sequence.weights > 0]} for sequence in drawn]
    else:
        whole = [{"inputs": sequence.inputs[None]} for sequence in drawn]
    state = signatures["init"].concrete(batch_size=tf.constant(1))
    steps = []
    for vector in drawn[0].inputs:
        state.pop("probabilities", None)
        steps.append({"vector": vector[None], **{k: v.numpy() for k, v in state.items()}})
        state = signatures["step"].concrete(
            **{name: tf.constant(value) for name, value in steps[-1].items()}
        )
    return {
        "serving_default": whole,
        "init": [{"batch_size": np.int32(n)} for n in (1, 3)],
        "step": steps,
    }
