"""The neural Turing machine (Deep Learning, 10.12)."""

from typing import Any, NamedTuple

import keras
from keras import ops

from seqkit.checks import positive
from seqkit.memory import addressing
from seqkit.memory.memory_cell import MemoryCell, Prepared
from seqkit.typing import Initializer, Mask, Regularizer, Shape, Tensor

INITIAL_FOCUS = 0.999  # share of each head's initial weighting on slot 0


class State(NamedTuple):
    """State of a neural Turing machine besides its controller's, in float32."""

    memory: Tensor  # M (batch, word, slots)
    read_weighting: Tensor  # w^r (batch, num_reads, slots)
    write_weighting: Tensor  # w^w (batch, num_writes, slots)
    reads: Tensor  # r (batch, num_reads, word)


class Heads(NamedTuple):
    """Addressing parameters of heads, unbounded."""

    keys: Tensor  # k (batch, heads, word)
    strengths: Tensor  # beta (batch, heads, 1)
    gates: Tensor  # g (batch, heads, 1)
    shifts: Tensor  # s (batch, heads, 2 shift_range + 1)
    sharpness: Tensor  # gamma (batch, heads, 1)


class Interface(NamedTuple):
    """The output of the controller at a step, split and shaped."""

    heads: Heads  # the read heads, then the write heads
    erase: Tensor  # e (batch, num_writes, word)
    add: Tensor  # a (batch, num_writes, word)


@keras.saving.register_keras_serializable(package="seqkit")
class NTMCell(MemoryCell):
    """Neural Turing machine: a controller with heads that write to a memory and read from it.

        h_t = controller([x_t, r_{t-1}])
        w_t = sharpen(shift(interpolate(content(M, k, beta), w_{t-1}, g), s), gamma)    (5)-(9)
        M_t = M_{t-1} (1 - w^w_t e_t) + w^w_t a_t                                       (3)-(4)
        r_t = w^r_t M_t                                                                 (2)

    k, beta, g, s, gamma of each head and e, a of each write head are affine functions of h_t,
    mapped to their ranges by softplus (beta, gamma - 1), sigmoid (g, e) and softmax (s).

    Args:
        controller: A seqkit cell, or for a feed-forward controller a layer with `units`, such as
            `keras.layers.Dense(100, activation="tanh")`.
        memory_size: Number of slots, > 0.
        word_size: Size of a slot, > 0.
        num_reads: Number of read heads, > 0.
        num_writes: Number of write heads, > 0.
        shift_range: Largest shift of a head in a step, in slots, in either direction.
        memory_initializer: M_0, a Keras initializer; None: 1e-6 everywhere.
        learn_memory: Whether to train M_0.
        add_regularizer: A Keras regularizer of a, averaged over the steps, such as
            `keras.regularizers.L2(1e-3)`. A head with nothing to write attends to all slots and
            adds a little to each; over sequences longer than in training this accumulates and masks
            the content. The penalty, which `seqkit.RNN` adds in training, quiets such a head;
            without it the model does not generalize to longer sequences.

    Call arguments:
        inputs: (batch, features).
        states: The controller's, then M, w^r, w^w and r, each as (batch, size). `unpack` returns
            them in their shapes.

    Returns:
        Output [h_t, r_t] (batch, controller's output_size + num_reads word_size), to be followed by
        a Dense layer; new states.

    Raises:
        ValueError: If a size is not positive, or that of the controller is unknown.

    Dtype:
        All but the controller computes in float32 under any policy but float64.

    Source:
        Graves et al. 2014, with its equation numbers.

    Deviations:
        The paper does not define the initial weightings: ours all focus on slot 0, since hardly any
        seed converges with uniform ones. An almost empty slot resembles no key
        (`addressing.cosine_similarity`). Sharpening is computed in logarithms, since otherwise
        training may end in NaN.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, LSTMCell, NTMCell
        >>> ntm = RNN(NTMCell(LSTMCell(10), memory_size=16, word_size=4), return_sequences=True)
        >>> tuple(ntm(np.zeros((2, 5, 3))).shape)
        (2, 5, 14)
    """

    def __init__(
        self,
        controller: keras.layers.Layer,
        memory_size: int = 128,
        word_size: int = 20,
        num_reads: int = 1,
        num_writes: int = 1,
        shift_range: int = 1,
        memory_initializer: Initializer | None = None,
        learn_memory: bool = False,
        add_regularizer: Regularizer = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(controller, memory_size, word_size, num_reads, **kwargs)
        self.num_writes = positive("num_writes", num_writes, self)
        self.shift_range = positive("shift_range", shift_range, self)
        self.memory_initializer = keras.initializers.get(memory_initializer)
        self.learn_memory = learn_memory
        self.add_regularizer = keras.regularizers.get(add_regularizer)

    @property
    def has_penalty(self) -> bool:
        return self.add_regularizer is not None

    def state_shapes(self) -> State:
        N, W, R, H = self.memory_size, self.word_size, self.num_reads, self.num_writes
        return State((W, N), (R, N), (H, N), (R, W))

    def interface_shapes(self) -> Interface:
        W, H = self.word_size, self.num_writes
        heads = self.num_reads + H
        shifts = 2 * self.shift_range + 1
        addressing = Heads((heads, W), (heads, 1), (heads, 1), (heads, shifts), (heads, 1))
        return Interface(addressing, (H, W), (H, W))

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.initial_memory = self.add_weight(
            shape=self.state_shapes().memory,
            initializer=self.memory_initializer or keras.initializers.Constant(1e-6),
            trainable=self.learn_memory,
            name="initial_memory",
            dtype=self.memory_dtype,
            autocast=False,
        )

    def initial_state(self) -> State:
        """Return an unwritten memory, with each head on slot 0."""
        state = super().initial_state()
        slot_0 = ops.cast(ops.arange(self.memory_size) == 0, self.memory_dtype)
        weighting = INITIAL_FOCUS * slot_0 + (1 - INITIAL_FOCUS) / self.memory_size
        return state._replace(
            memory=self.initial_memory,
            read_weighting=state.read_weighting + weighting,
            write_weighting=state.write_weighting + weighting,
        )

    def access(self, interface: Interface, state: State) -> State:
        M, w_r, w_w, _ = state
        split = [ops.split(v, [self.num_reads], axis=1) for v in interface.heads]
        read_heads, write_heads = (Heads(*parts) for parts in zip(*split, strict=True))
        w_w = _address(M, w_w, write_heads)
        M = addressing.write(M, w_w, ops.sigmoid(interface.erase), interface.add)
        w_r = _address(M, w_r, read_heads)
        return State(M, w_r, w_w, addressing.read(M, w_r))

    def penalty(self, outputs: Tensor, mask: Mask, prepared: Prepared) -> Tensor:
        """Compute the mean of `add_regularizer` over the real steps."""
        h = outputs[..., : self._control.output_size]
        a = self.interface(ops.reshape(h, (-1, h.shape[-1])), prepared).add
        steps = ops.cast(ops.shape(a)[0], a.dtype)
        if mask is not None:
            real = ops.cast(ops.reshape(mask, (-1, 1, 1)), a.dtype)
            a, steps = a * real, ops.maximum(ops.sum(real), 1)
        return self.add_regularizer(a) / steps


def _address(M: Tensor, w: Tensor, heads: Heads) -> Tensor:
    """Compute w_t of heads: by content, then by location (Graves et al. 2014, figure 2)."""
    content = addressing.content_weighting(M, heads.keys, ops.softplus(heads.strengths))
    gated = addressing.interpolate(content, w, ops.sigmoid(heads.gates))
    shifted = addressing.shift(gated, ops.softmax(heads.shifts, axis=-1))
    return addressing.sharpen(shifted, 1 + ops.softplus(heads.sharpness))
