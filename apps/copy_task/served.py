"""The functions of an export, as a tf.Module."""

import hashlib

import keras
import tensorflow as tf

from apps.common.answers import require
from seqkit import RNN, Traced


class ServedSequenceModel(tf.Module):
    """The functions of an export: a whole sequence at once, or one vector at a time.

    Args:
        model: Model from (batch, time, inputs) to logits, with the layers `rnn` and `logits`.
        copies: Whether it was trained to copy; then `copy` adds the markers of a sequence.
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
        """Copy bits (batch, length, bits), and return the weightings of the heads."""
        bits = tf.ensure_shape(bits, [None, None, self.output_size])
        batch, length = tf.shape(bits)[0], tf.shape(bits)[1]
        with (
            require(length > 0, "bits: no vectors; give sequences of at least one"),
            require(_are_bits(bits), "bits: the values must be 0 or 1"),
        ):
            logits, weightings = self._logits_and_trace(with_markers(bits))
        logits = logits[:, length + 2 :]
        if self.traced:
            weightings["exceeds_memory"] = tf.repeat(length > self.rnn.cell.memory_size, batch)
        return {
            "copy": tf.cast(logits > 0, tf.int32),
            "probabilities": _sigmoid(logits),
            **weightings,
        }

    def run(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answer whole sequences (batch, time, inputs)."""
        inputs = tf.ensure_shape(inputs, [None, None, self.input_size])
        with (
            require(tf.shape(inputs)[1] > 0, "inputs: no steps; give sequences of at least one"),
            require(tf.math.is_finite(inputs), "inputs: the values must be finite"),
        ):
            return {"probabilities": _sigmoid(self.model(inputs, training=False))}

    def init(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the initial state of a batch of sequences."""
        with require(batch_size > 0, "batch_size: must be at least 1"):
            model = tf.fill([batch_size], tf.constant(self.fingerprint, tf.int64))
            return {**self._named(self.rnn.get_initial_state(batch_size)), "model": model}

    def step(self, vector: tf.Tensor, model: tf.Tensor, **state: tf.Tensor) -> dict[str, tf.Tensor]:
        """Read one vector (batch, inputs) of each sequence."""
        message = "model: this state belongs to another model; start with init of this one"
        with require(model == self.fingerprint, message):
            vector = tf.ensure_shape(vector, [None, self.input_size])
            states = [tf.ensure_shape(state[name], [None, n]) for name, n in self.states.items()]
        right = _are_bits(vector) if self.copies else tf.math.is_finite(vector)
        rows = tf.stack([tf.shape(tensor)[0] for tensor in (model, *states)])
        with (
            require(right, f"vector: the values must be {'0 or 1' if self.copies else 'finite'}"),
            require(
                rows == tf.shape(vector)[0],
                "step: vector, state and model must have the same number of rows",
            ),
        ):
            output, states = self.rnn.step(vector, states)
        probabilities = _sigmoid(self.logits(output))
        return {"probabilities": probabilities, **self._named(states), "model": model}

    def _logits_and_trace(self, inputs: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        if not self.traced:
            return self.model(inputs, training=False), {}
        initial = self.rnn.get_initial_state(tf.shape(inputs)[0])
        outputs, trace = self.traced.cell.split(self.traced(inputs, initial_state=initial))
        return self.logits(outputs), {k: tf.cast(w, tf.float32) for k, w in trace.items()}

    def _named(self, states: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return dict(zip(self.states, states, strict=True))


def with_markers(bits: tf.Tensor) -> tf.Tensor:
    """Add the markers of `tasks.copy_sequence` in the graph: (batch, length, bits) to inputs."""
    length, width = tf.shape(bits)[1], bits.shape[2]
    step = tf.range(2 * length + 2)
    markers = tf.cast(tf.stack([step == 0, step == length + 1], axis=-1), bits.dtype)
    return tf.pad(bits, [[0, 0], [1, length + 1], [0, 2]]) + tf.pad(markers, [[0, 0], [width, 0]])


def fingerprint(model: keras.Model) -> int:
    """Hash a model's weights to 48 bits, which JSON clients represent exactly."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return int.from_bytes(digest.digest()[:6])


def _are_bits(values: tf.Tensor) -> tf.Tensor:
    return (values == 0) | (values == 1)


def _sigmoid(logits: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(tf.cast(logits, tf.float32))
