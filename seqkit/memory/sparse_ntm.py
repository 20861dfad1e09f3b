"""A neural Turing machine that accesses few slots per step, for memories of thousands."""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.checks import positive
from seqkit.memory.addressing import EPSILON
from seqkit.memory.memory_cell import MemoryCell
from seqkit.typing import States, Tensor

NEGLIGIBLE = 0.005  # delta: weights up to this do not count as access


class State(NamedTuple):
    """State of a sparse memory besides the controller's; slots are integers stored as floats."""

    memory: Tensor  # M (batch, slots, word)
    accessed: Tensor  # the step of each slot's last access, counted from 1 (batch, 1, slots)
    write_slots: Tensor  # (batch, heads, num_neighbours + 1)
    write_weights: Tensor  # w^w at the write_slots
    read_slots: Tensor  # (batch, heads, num_neighbours)
    read_weights: Tensor  # w^r at the read_slots
    reads: Tensor  # r (batch, heads, word)


class Interface(NamedTuple):
    """What the controller emits at a step, (batch, heads, ...)."""

    keys: Tensor  # q (word)
    strengths: Tensor  # beta (1)
    write_vectors: Tensor  # a (word)
    write_gates: Tensor  # alpha (1)
    interpolation_gates: Tensor  # gamma (1)


@keras.saving.register_keras_serializable(package="seqkit")
class SparseNTMCell(MemoryCell):
    """Sparse-access memory: a controller whose heads access few slots of a large memory.

    Heads read the slots nearest to a key, and write to those read last or to the least recently
    accessed one.

        h_t = controller([x_t, r_{t-1}])
        w^w_t = alpha_t (gamma_t w^r_{t-1} + (1 - gamma_t) I_t)                         (5)
        M_t = (1 - I_t) M_{t-1} + w^w_t a_t                                             (3)
        w^r_t = softmax over the num_neighbours slots nearest to q_t of beta_t cos(q_t, M_t(i))
        r_t = w^r_t M_t                                                                 (4)

    I_t is 1 at the least recently accessed slot, 0 elsewhere (6); each head has a different one.
    Only the search for the nearest and the least recently accessed slots covers the whole memory;
    the backward pass stores and computes gradients for the accessed slots only.

    Args:
        controller: A seqkit cell, or for a feed-forward controller a layer with `units`, such as
            `keras.layers.Dense(100, activation="tanh")`.
        memory_size: Number of slots, >= num_neighbours and num_reads.
        word_size: Size of a slot, > 0.
        num_reads: Number of heads, > 0, each of which reads and writes.
        num_neighbours: K, the number of slots that a head reads, > 0.

    Call arguments:
        inputs: (batch, features).
        states: The controller's, then those of `State`, each as (batch, size). `unpack` returns
            them in their shapes.

    Returns:
        Output [h_t, r_t] (batch, controller's output_size + num_reads word_size), to be followed by
        a Dense layer; new states.

    Raises:
        ValueError: If a size is not positive, or the memory is too small for its heads.

    Dtype:
        All but the controller computes in float32 under any policy but float64.

    Source:
        Rae et al. 2016, 3.1-3.2 (SAM), with its equation numbers.

    Deviations:
        The nearest slots are found exactly, not by an approximate index; the selection has no
        gradient.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, LSTMCell, SparseNTMCell
        >>> rnn = RNN(SparseNTMCell(LSTMCell(10), memory_size=1000, word_size=4))
        >>> tuple(rnn(np.zeros((2, 5, 3))).shape)
        (2, 14)
    """

    def __init__(
        self,
        controller: keras.layers.Layer,
        memory_size: int = 128,
        word_size: int = 20,
        num_reads: int = 1,
        num_neighbours: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(controller, memory_size, word_size, num_reads, **kwargs)
        self.num_neighbours = positive("num_neighbours", num_neighbours, self)
        if memory_size < max(num_reads, num_neighbours):
            raise ValueError(
                f"SparseNTMCell: memory_size is {memory_size}; {num_reads} heads that read "
                f"{num_neighbours} slots need at least {max(num_reads, num_neighbours)}"
            )

    def state_shapes(self) -> State:
        N, W, R, K = self.memory_size, self.word_size, self.num_reads, self.num_neighbours
        return State((N, W), (1, N), (R, K + 1), (R, K + 1), (R, K), (R, K), (R, W))

    def interface_shapes(self) -> Interface:
        W, R = self.word_size, self.num_reads
        return Interface((R, W), (R, 1), (R, W), (R, 1), (R, 1))

    @property
    def trace_shapes(self) -> dict[str, tuple[int, int]]:
        """Heads and slots of each result of `trace`."""
        return dict.fromkeys(self.traced, (self.num_reads, self.memory_size))

    def trace(self, states: States) -> dict[str, Tensor]:
        """Return the weightings by name, (batch, heads, slots) each."""
        _, s = self.unpack(states)

        def dense(slots: Tensor, weights: Tensor) -> Tensor:
            slots = ops.cast(slots, "int32")
            one_hot = ops.one_hot(slots, self.memory_size, dtype=self.memory_dtype)
            return ops.sum(one_hot * weights[..., None], axis=2)

        return {
            "read_weighting": dense(s.read_slots, s.read_weights),
            "write_weighting": dense(s.write_slots, s.write_weights),
        }

    def access(self, interface: Interface, state: State) -> State:
        M, accessed, _, _, read_slots, w_r, _ = state
        q, beta, a, alpha, gamma = interface
        alpha, gamma = ops.sigmoid(alpha), ops.sigmoid(gamma)

        _, least = ops.top_k(-accessed, self.num_reads)
        least = ops.cast(ops.swapaxes(least, 1, 2), self.memory_dtype)  # (batch, heads, 1)
        write_slots = ops.concatenate([read_slots, least], axis=-1)
        w_w = alpha * ops.concatenate([gamma * w_r, 1 - gamma], axis=-1)
        M = _write(M, least, write_slots, w_w[..., None] * a[..., None, :])

        read_slots = ops.cast(nearest(M, q, self.num_neighbours), self.memory_dtype)
        M, words = _read(M, read_slots)
        w_r = ops.softmax(ops.softplus(beta) * _cosine(words, q), axis=-1)
        r = ops.squeeze(ops.matmul(w_r[..., None, :], words), axis=2)

        now = ops.max(accessed, axis=-1, keepdims=True, initial=0) + 1
        slots = ops.concatenate([write_slots, read_slots], axis=-1)
        is_access = ops.concatenate([w_w, w_r], axis=-1) > NEGLIGIBLE
        accessed = _latest(accessed, slots, ops.where(is_access, now, ops.zeros_like(now)))
        return State(M, accessed, write_slots, w_w, read_slots, w_r, r)


def nearest(memory: Tensor, keys: Tensor, count: int) -> Tensor:
    """Find the slots most similar to each key, best first: (batch, heads, count) ints.

    Cosines are rounded to five decimals, and ties go to the lower slot: words written from the same
    vector are equal, and rounding errors must not choose among them.

    Args:
        memory: M (batch, slots, word).
        keys: q (batch, heads, word).
        count: Number of slots.

    Source:
        Rae et al. 2016, 3.1; the similarity is the cosine.
    """
    memory, keys = ops.stop_gradient(memory), ops.stop_gradient(keys)
    ones = ops.ones_like(memory[:, :1])
    squares = ops.matmul(ones, ops.swapaxes(ops.square(memory), 1, 2))
    products = ops.matmul(keys, ops.swapaxes(memory, 1, 2))
    key_squares = ops.sum(ops.square(keys), axis=-1, keepdims=True)
    cosines = products / ops.sqrt((squares + EPSILON) * (key_squares + EPSILON))
    return ops.top_k(ops.round(1e5 * cosines), count)[1]


def _cosine(words: Tensor, keys: Tensor) -> Tensor:
    """Compute cos(q, M(i)) of the words (batch, heads, count, word): (batch, heads, count)."""

    def length(v: Tensor) -> Tensor:
        return ops.sqrt(ops.sum(ops.square(v), axis=-1) + EPSILON)

    products = ops.sum(words * keys[..., None, :], axis=-1)
    return products / (length(words) * length(keys)[..., None])


# The memory is reshaped to rows (batch slots, word), of which some are read and written.
# TensorFlow's gradient of a read is a whole memory, zero except for the words read; here it is
# added to the rows that were read. Slots are floats, exactly, because JAX requires a gradient for
# each argument.


@backend.custom_gradient
def _write(memory: Tensor, erased: Tensor, slots: Tensor, values: Tensor) -> tuple:
    """Set slots of the memory to zero, then add `values` to slots."""
    size = memory.shape[1]
    erased_rows, rows = _rows(erased, size), _rows(slots, size)

    def erase(m: Tensor) -> Tensor:
        zeros = ops.zeros_like(ops.take(m, erased_rows[:, 0], axis=0))
        return ops.scatter_update(m, erased_rows, zeros)

    after = erase(_as_rows(memory))
    after = ops.scatter_update(after, rows, _as_rows(values), reduction="add")

    def gradient(d: Tensor) -> tuple:
        d = _as_rows(d)
        d_values = ops.reshape(ops.take(d, rows[:, 0], axis=0), ops.shape(values))
        d_memory = ops.reshape(erase(d), ops.shape(memory))
        return d_memory, ops.zeros_like(erased), ops.zeros_like(slots), d_values

    return ops.reshape(after, ops.shape(memory)), gradient


@backend.custom_gradient
def _read(memory: Tensor, slots: Tensor) -> tuple:
    """Return the memory unchanged, and the words of `slots` (batch, heads, count, word)."""
    size, word = memory.shape[1:]
    rows = _rows(slots, size)
    words = ops.reshape(
        ops.take(_as_rows(memory), rows[:, 0], axis=0), (-1, *slots.shape[1:], word)
    )

    def gradient(d_memory: Tensor, d_words: Tensor) -> tuple:
        d = ops.scatter_update(_as_rows(d_memory), rows, _as_rows(d_words), reduction="add")
        return ops.reshape(d, ops.shape(memory)), ops.zeros_like(slots)

    return (memory, words), gradient


def _latest(accessed: Tensor, slots: Tensor, steps: Tensor) -> Tensor:
    """Update `accessed` (batch, 1, slots) with later `steps` (batch, heads, count) at `slots`."""
    rows = _rows(slots, accessed.shape[-1])
    flat = ops.scatter_update(
        ops.reshape(accessed, (-1,)), rows, ops.reshape(steps, (-1,)), reduction="max"
    )
    return ops.reshape(flat, ops.shape(accessed))


def _rows(slots: Tensor, size: int) -> Tensor:
    """Convert slots (batch, ...) of memories with `size` slots to row numbers (count, 1), ints."""
    batch = ops.arange(ops.shape(slots)[0], dtype="int32")
    slots = ops.reshape(slots, (ops.shape(slots)[0], math.prod(slots.shape[1:])))
    slots = ops.cast(slots, "int32")
    return ops.reshape(slots + size * batch[:, None], (-1, 1))


def _as_rows(v: Tensor) -> Tensor:
    """Reshape (..., word) -> (rows, word)."""
    return ops.reshape(v, (-1, v.shape[-1]))
