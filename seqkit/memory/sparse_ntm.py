"""A neural Turing machine that touches few slots at a step, for memories of thousands."""

from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit import backend
from seqkit.checks import positive
from seqkit.memory.addressing import EPSILON
from seqkit.memory.memory_cell import MemoryCell
from seqkit.typing import States, Tensor

NEGLIGIBLE = 0.005  # delta: a weight up to this is no access


class State(NamedTuple):
    """What is carried from step to step beside the controller's states; slots as whole floats."""

    memory: Tensor  # M (batch, slots, word)
    accessed: Tensor  # the step of each slot's last access, counted from 1 (batch, 1, slots)
    write_slots: Tensor  # (batch, heads, num_neighbours + 1)
    write_weights: Tensor  # w^w at the write_slots
    read_slots: Tensor  # (batch, heads, num_neighbours)
    read_weights: Tensor  # w^r at the read_slots
    reads: Tensor  # r (batch, heads, word)


class Interface(NamedTuple):
    """What the controller says at a step, (batch, heads, ...)."""

    keys: Tensor  # q (word)
    strengths: Tensor  # beta (1)
    write_vectors: Tensor  # a (word)
    write_gates: Tensor  # alpha (1)
    interpolation_gates: Tensor  # gamma (1)


@keras.saving.register_keras_serializable(package="seqkit")
class SparseNTMCell(MemoryCell):
    """A controller whose heads touch few slots of a memory that may be large.

    They read the slots nearest to a key, and write to those read last or to the least recently
    accessed one.

        h_t = controller([x_t, r_{t-1}])
        w^w_t = alpha_t (gamma_t w^r_{t-1} + (1 - gamma_t) I_t)                         (5)
        M_t = (1 - I_t) M_{t-1} + w^w_t a_t                                             (3)
        w^r_t = softmax over the num_neighbours slots nearest to q_t of beta_t cos(q_t, M_t(i))
        r_t = w^r_t M_t                                                                 (4)

    I_t is 1 at the least recently accessed slot, 0 elsewhere (6); each head has its own. Only the
    search for the nearest and for the least recently accessed slot looks at all of them; what is
    kept for the way back and computed there is of the touched slots alone.

    Args:
        controller: a seqkit cell, or for a feed-forward controller a layer with `units`, such as
            `keras.layers.Dense(100, activation="tanh")`.
        memory_size: slots, >= num_neighbours and num_reads.
        word_size: size of a slot, > 0.
        num_reads: heads, each of which reads and writes, > 0.
        num_neighbours: K, the slots that a head reads, > 0.

    Call arguments:
        inputs (batch, features); states: the controller's, then those of `State`, each as (batch,
        size). `unpack` gives them their shapes.

    Returns:
        output [h_t, r_t] (batch, controller's + num_reads word_size), which a Dense layer is to
        follow; new states.

    Dtype:
        all but the controller computes in float32, whatever the policy.

    Raises:
        ValueError: if a size is not positive, or the memory too small for its heads.

    Source:
        Rae et al. 2016, 3.1-3.2 (SAM), numbers of its equations.

    Deviations:
        the nearest slots are found exactly, not by an approximate index; no gradient passes through
        the choice.

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
        """Heads and slots of what `trace` tells."""
        return dict.fromkeys(self.traced, (self.num_reads, self.memory_size))

    def trace(self, states: States) -> dict[str, Tensor]:
        """Where the heads look: name -> (batch, heads, slots)."""
        _, s = self.unpack(states)

        def dense(slots: Tensor, weights: Tensor) -> Tensor:
            at = ops.one_hot(ops.cast(slots, "int32"), self.memory_size, dtype="float32")
            return ops.sum(at * weights[..., None], axis=2)

        return {
            "read_weighting": dense(s.read_slots, s.read_weights),
            "write_weighting": dense(s.write_slots, s.write_weights),
        }

    def access(self, said: Interface, state: State) -> State:
        M, accessed, _, _, read_slots, w_r, _ = state
        q, beta, a, alpha, gamma = said
        alpha, gamma = ops.sigmoid(alpha), ops.sigmoid(gamma)

        _, least = ops.top_k(-accessed, self.num_reads)
        least = ops.cast(ops.swapaxes(least, 1, 2), "float32")  # (batch, heads, 1)
        write_slots = ops.concatenate([read_slots, least], axis=-1)
        w_w = alpha * ops.concatenate([gamma * w_r, 1 - gamma], axis=-1)
        M = _write(M, least, write_slots, w_w[..., None] * a[..., None, :])

        read_slots = ops.cast(nearest(M, q, self.num_neighbours), "float32")
        M, words = _read(M, read_slots)
        w_r = ops.softmax(ops.softplus(beta) * _cosine(words, q), axis=-1)
        r = ops.squeeze(ops.matmul(w_r[..., None, :], words), axis=2)

        now = ops.max(accessed, axis=-1, keepdims=True) + 1
        touched = ops.concatenate([write_slots, read_slots], axis=-1)
        much = ops.concatenate([w_w, w_r], axis=-1) > NEGLIGIBLE
        accessed = _latest(accessed, touched, ops.where(much, now, ops.zeros_like(now)))
        return State(M, accessed, write_slots, w_w, read_slots, w_r, r)


def nearest(memory: Tensor, keys: Tensor, count: int) -> Tensor:
    """The slots whose words are most alike to each key, best first: (batch, heads, count) ints

    A cosine counts to five decimals, and of equal ones the lower slot comes first: words written by
    the same vector are all alike, and how a sum rounds must not choose among them.

    Args:
        memory: M (batch, slots, word).
        keys: q (batch, heads, word).
        count: how many.

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
    """cos(q, M(i)) of words (batch, heads, count, word) that were read: (batch, heads, count)"""

    def length(v: Tensor) -> Tensor:
        return ops.sqrt(ops.sum(ops.square(v), axis=-1) + EPSILON)

    products = ops.sum(words * keys[..., None, :], axis=-1)
    return products / (length(words) * length(keys)[..., None])


# Memory is seen as rows (batch slots, word), so that what is read and written are rows of it. As
# TensorFlow derives it, the gradient of a read is a memory of zeros but for what was read; here it
# is added where it belongs. Slots come as floats, which they are exactly, for JAX's sake: it asks
# for a gradient of each argument.


@backend.custom_gradient
def _write(memory: Tensor, erased: Tensor, slots: Tensor, values: Tensor) -> tuple:
    """The memory, some slots of it set to zero and then `values` added to others."""
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
    """The memory as it is, and the words of `slots` (batch, heads, count, word)."""
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
    """`accessed` (batch, 1, slots) with later `steps` (batch, heads, count) at `slots`."""
    rows = _rows(slots, accessed.shape[-1])
    flat = ops.scatter_update(
        ops.reshape(accessed, (-1,)), rows, ops.reshape(steps, (-1,)), reduction="max"
    )
    return ops.reshape(flat, ops.shape(accessed))


def _rows(slots: Tensor, size: int) -> Tensor:
    """Slots (batch, ...) of memories of one size, as row numbers among all: (count, 1) ints"""
    batch = ops.arange(ops.shape(slots)[0], dtype="int32")
    slots = ops.cast(ops.reshape(slots, (ops.shape(slots)[0], -1)), "int32")
    return ops.reshape(slots + size * batch[:, None], (-1, 1))


def _as_rows(v: Tensor) -> Tensor:
    """(..., word) -> (rows, word)"""
    return ops.reshape(v, (-1, v.shape[-1]))
