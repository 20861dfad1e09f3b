"""What an export answers: a whole sequence at once, or a vector at a time."""

import contextlib
import hashlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.commands import load_model
from apps.copy_task import NAME
from apps.copy_task import model as _model  # noqa: F401 (registers the layers that load_model meets)
from apps.copy_task.config import Config
from apps.copy_task.tasks import task
from seqkit import RNN, Traced
from seqkit.export import Signature

_TITLES = {
    "copy": "Copy of a sequence of bits",
    "repeat_copy": "Repeated copy of a sequence of bits",
    "associative_recall": "The item behind another, of items of bits",
    "priority_sort": "Vectors of bits, sorted by priority",
}
_CELLS = {
    "ntm": "neural Turing machine",
    "dnc": "differentiable neural computer",
    "sparse_ntm": "neural Turing machine with sparse access",
    "lstm": "LSTM",
}

_NOTES = """
## Behaviour

{default}
- `init` gives the state before the first vector. `step` reads a vector of each sequence and gives
  the new state, which goes into the next `step`: the server keeps nothing. `model` says whose state
  it is.{marks}
- The sequences of a batch have one length. What else is in the batch changes no answer.
- Errors: no vector, a value that is not {values}, a vector of another width, the state of another
  model.
"""
_COPY = "- `serving_default` copies `bits`, 0 or 1. `probabilities` are those of a 1."
_MARKS = """
  For a copy feed the mark of the beginning (1 in channel {}, from 0), the vectors, the mark of
  their end (1 in channel {}), then zeros: the answers to these are the copy."""
_MEMORY = """
- The weightings say where each head looked at each step, slot by slot. The steps are the beginning,
  the vectors, their end, and one for each vector of the copy.
- `exceeds_memory`: there are more vectors than slots. They are answered all the same."""
_TASK = """\
- `serving_default` takes whole sequences: `inputs` with the marks, and zeros while the answer is
  due. `probabilities` are those of a 1, at every step."""


def export(config: Config, run: Path) -> list[Export]:
    """Say what is exported of a run folder: the best model so far.

    Raises:
        UserError: the folder has no model yet, or is damaged.
    """
    machine = Machine(load_model(run), copies=config.task == "copy")
    signatures = signatures_of(machine)
    if machine.copies:
        default, values = _COPY + (_MEMORY if machine.traced else ""), "0 or 1"
        marks = _MARKS.format(config.bits, config.bits + 1)
    else:
        default, values, marks = _TASK, "finite", ""
    return [
        Export(
            name=NAME,
            module=machine,
            signatures=signatures,
            examples=_examples(machine, signatures, config),
            title=f"{_TITLES[config.task]} ({_CELLS[config.cell]})",
            data=f"random bits, drawn as they are needed; lengths up to {config.max_length}",
            licence="Apache-2.0",
            splits=("test",),
            notes=_NOTES.format(default=default, values=values, marks=marks),
        )
    ]


class Machine(tf.Module):
    """A model as it is served.

    Args:
        model: (batch, time, inputs) to logits, with the layers `rnn` and `logits`.
        copies: whether it was trained to copy, so that the marks of a sequence are known here.
    """

    def __init__(self, model: keras.Model, copies: bool) -> None:
        super().__init__()
        self.model = model
        self.copies = copies
        self.input_size, self.output_size = model.input_shape[-1], model.output_shape[-1]
        self.rnn, self.logits = model.get_layer("rnn"), model.get_layer("logits")
        cell = self.rnn.cell
        self.traced = RNN(Traced(cell), return_sequences=True) if hasattr(cell, "trace") else None
        self.states = {f"state_{i}": size for i, size in enumerate(cell.state_size)}
        self.fingerprint = fingerprint(model)

    def copy(self, bits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Copy bits (batch, length, bits), and show where the heads looked."""
        bits = tf.ensure_shape(bits, [None, None, self.output_size])
        batch, length = tf.shape(bits)[0], tf.shape(bits)[1]
        with (
            _required(length > 0, "bits: no vector; give sequences of at least one"),
            _required(_are_bits(bits), "bits: the values must be 0 or 1"),
        ):
            logits, seen = self._logits_and_trace(with_marks(bits))
        logits = logits[:, length + 2 :]
        if self.traced:
            seen["exceeds_memory"] = tf.repeat(length > self.rnn.cell.memory_size, batch)
        return {"copy": tf.cast(logits > 0, tf.int32), "probabilities": _sigmoid(logits), **seen}

    def run(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answer whole sequences (batch, time, inputs)."""
        inputs = tf.ensure_shape(inputs, [None, None, self.input_size])
        with (
            _required(tf.shape(inputs)[1] > 0, "inputs: no step; give sequences of at least one"),
            _required(tf.math.is_finite(inputs), "inputs: the values must be finite"),
        ):
            return {"probabilities": _sigmoid(self.model(inputs, training=False))}

    def init(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        """Begin a batch of sequences."""
        with _required(batch_size > 0, "batch_size: must be at least 1"):
            model = tf.fill([batch_size], tf.constant(self.fingerprint, tf.int64))
            return {**self._named(self.rnn.get_initial_state(batch_size)), "model": model}

    def step(self, vector: tf.Tensor, model: tf.Tensor, **state: tf.Tensor) -> dict[str, tf.Tensor]:
        """Read a vector (batch, inputs) of each sequence."""
        message = "model: this is the state of another model; begin with init of this one"
        with _required(model == self.fingerprint, message):
            vector = tf.ensure_shape(vector, [None, self.input_size])
            states = [tf.ensure_shape(state[name], [None, n]) for name, n in self.states.items()]
        right = _are_bits(vector) if self.copies else tf.math.is_finite(vector)
        rows = tf.stack([tf.shape(tensor)[0] for tensor in (model, *states)])
        with (
            _required(right, f"vector: the values must be {'0 or 1' if self.copies else 'finite'}"),
            _required(rows == tf.shape(vector)[0], "step: vector, state and model differ in rows"),
        ):
            output, states = self.rnn.step(vector, states)
        probabilities = _sigmoid(self.logits(output))
        return {"probabilities": probabilities, **self._named(states), "model": model}

    def _logits_and_trace(self, inputs: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        if not self.traced:
            return self.model(inputs, training=False), {}
        first = self.rnn.get_initial_state(tf.shape(inputs)[0])
        outputs, trace = self.traced.cell.split(self.traced(inputs, initial_state=first))
        return self.logits(outputs), {k: tf.cast(w, tf.float32) for k, w in trace.items()}

    def _named(self, states: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return dict(zip(self.states, states, strict=True))


def with_marks(bits: tf.Tensor) -> tf.Tensor:
    """Do in the graph what `tasks.copy_sequence` does: (batch, length, bits) to its inputs."""
    length, width = tf.shape(bits)[1], bits.shape[2]
    step = tf.range(2 * length + 2)
    marks = tf.cast(tf.stack([step == 0, step == length + 1], axis=-1), bits.dtype)
    return tf.pad(bits, [[0, 0], [1, length + 1], [0, 2]]) + tf.pad(marks, [[0, 0], [width, 0]])


def fingerprint(model: keras.Model) -> int:
    """Tell a model's weights from others: by 48 bits, which JSON keeps whole in any client."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return int.from_bytes(digest.digest()[:6])


def _are_bits(values: tf.Tensor) -> tf.Tensor:
    return (values == 0) | (values == 1)


def _required(right: tf.Tensor, message: str) -> contextlib.AbstractContextManager:
    """What is computed inside waits for the check. Compiled by XLA, it doesn't: XLA can't fail."""
    return tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(right), [message])])


def _sigmoid(logits: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(tf.cast(logits, tf.float32))


def signatures_of(machine: Machine) -> dict[str, Signature]:
    """Name the functions of a machine, and type their arguments."""
    vector = tf.TensorSpec([None, machine.input_size], tf.float32)
    batch_size = {"batch_size": tf.TensorSpec([], tf.int32)}
    init = Signature(lambda batch_size: machine.init(batch_size), batch_size)
    state = {name: tf.TensorSpec(spec.shape, spec.dtype) for name, spec in init.outputs.items()}
    if machine.copies:
        bits = tf.TensorSpec([None, None, machine.output_size], tf.float32)
        default = Signature(lambda bits: machine.copy(bits), {"bits": bits})
    else:
        inputs = tf.TensorSpec([None, None, machine.input_size], tf.float32)
        default = Signature(lambda inputs: machine.run(inputs), {"inputs": inputs})
    return {
        "serving_default": default,
        "init": init,
        "step": Signature(lambda **tensors: machine.step(**tensors), {"vector": vector, **state}),
    }


def _examples(
    machine: Machine, signatures: dict[str, Signature], config: Config
) -> dict[str, list[dict[str, np.ndarray]]]:
    """Golden inputs: sequences of several lengths, and the first steps of one."""
    random = np.random.default_rng(0)
    drawn = [task(config).sample(random, length) for length in (2, 5, config.max_length)]
    if machine.copies:
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
