"""The differentiable neural computer, successor of the neural Turing machine."""

from typing import NamedTuple

import keras
from keras import ops

from seqkit.memory import addressing
from seqkit.memory.linkage import link
from seqkit.memory.memory_cell import MemoryCell
from seqkit.typing import Tensor

INITIAL_STRENGTH_BIAS = 4.0  # of the read strengths: beta^r is initially about 5


class State(NamedTuple):
    """State of a differentiable neural computer besides its controller's, in float32."""

    memory: Tensor  # M (batch, word, slots)
    usage: Tensor  # u (batch, 1, slots)
    precedence: Tensor  # p (batch, 1, slots)
    links: Tensor  # L (batch, slots, slots)
    write_weighting: Tensor  # w^w (batch, 1, slots)
    read_weighting: Tensor  # w^r (batch, num_reads, slots)
    reads: Tensor  # r (batch, num_reads, word)


class Interface(NamedTuple):
    """What the controller emits at a step: xi, (batch, heads, ...)."""

    read_keys: Tensor  # k^r (num_reads, word)
    read_strengths: Tensor  # beta^r (num_reads, 1)
    write_key: Tensor  # k^w (1, word)
    write_strength: Tensor  # beta^w (1, 1)
    erase: Tensor  # e (1, word)
    write_vector: Tensor  # v (1, word)
    free_gates: Tensor  # f (num_reads, 1)
    allocation_gate: Tensor  # g^a (1, 1)
    write_gate: Tensor  # g^w (1, 1)
    read_modes: Tensor  # pi (num_reads, 3)


@keras.saving.register_keras_serializable(package="seqkit")
class DNCCell(MemoryCell):
    """Differentiable neural computer: a memory that tracks free slots and the order of writes.

        h_t = controller([x_t, r_{t-1}])
        psi_t = prod_r (1 - f^r_t w^r_{t-1})                                retention
        u_t = (u_{t-1} + w^w_{t-1} - u_{t-1} w^w_{t-1}) psi_t               usage
        a_t = allocation(u_t)                                               the least used slots
        w^w_t = g^w_t (g^a_t a_t + (1 - g^a_t) content(M_{t-1}, k^w_t, beta^w_t))
        M_t = M_{t-1} (1 - w^w_t e_t) + w^w_t v_t
        L_t[i, j] = (1 - w^w_t[i] - w^w_t[j]) L_{t-1}[i, j] + w^w_t[i] p_{t-1}[j],  L_t[i, i] = 0
        p_t = (1 - sum_i w^w_t[i]) p_{t-1} + w^w_t                          precedence
        f_t, b_t = L_t w^r_{t-1}, L_t' w^r_{t-1}                            forward, backward
        w^r_t = pi_1 b_t + pi_2 content(M_t, k^r_t, beta^r_t) + pi_3 f_t
        r_t = w^r_t M_t

    k, beta, e, v, f, g and pi are affine functions of h_t, mapped to their ranges by 1 + softplus
    (beta), sigmoid (e, f, g) and softmax (pi). `seqkit.memory.addressing` has the equations.

    Args:
        controller: A seqkit cell, or for a feed-forward controller a layer with `units`, such as
            `keras.layers.Dense(100, activation="tanh")`.
        memory_size: Number of slots N, > 0. Time and states grow with its square, for the links.
        word_size: Size of a slot, > 0.
        num_reads: Number of read heads, > 0; there is one write head.

    Call arguments:
        inputs: (batch, features).
        states: The controller's, then M, u, p, L, w^w, w^r and r, each as (batch, size). `unpack`
            returns them in their shapes.

    Returns:
        Output [h_t, r_t] (batch, controller's output_size + num_reads word_size), to be followed by
        a Dense layer; new states.

    Raises:
        ValueError: If a size is not positive, or that of the controller is unknown.

    Dtype:
        All but the controller computes in float32 under any policy but float64.

    Source:
        Graves et al. 2016, Methods.

    Deviations:
        The affine functions have a bias; that of beta^r is initialized to 4, since with blurred
        lookups some seeds never learn where to start reading. A usage of 0 counts as 1e-6 in the
        allocation's product.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, DNCCell, LSTMCell
        >>> dnc = RNN(DNCCell(LSTMCell(10), memory_size=8, word_size=4, num_reads=2))
        >>> tuple(dnc(np.zeros((2, 5, 3))).shape)
        (2, 18)
    """

    traced = "read_weighting", "write_weighting", "usage"

    def state_shapes(self) -> State:
        N, W, R = self.memory_size, self.word_size, self.num_reads
        return State((W, N), (1, N), (1, N), (N, N), (1, N), (R, N), (R, W))

    def interface_shapes(self) -> Interface:
        W, R = self.word_size, self.num_reads
        return Interface(
            (R, W), (R, 1), (1, W), (1, 1), (1, W), (1, W), (R, 1), (1, 1), (1, 1), (R, 3)
        )

    def initial_interface_bias(self) -> Interface:
        bias = super().initial_interface_bias()
        return bias._replace(read_strengths=bias.read_strengths + INITIAL_STRENGTH_BIAS)

    def access(self, interface: Interface, state: State) -> State:
        M, u, p, L, w_w, w_r, _ = state
        k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi = interface
        beta_r, beta_w = 1 + ops.softplus(beta_r), 1 + ops.softplus(beta_w)
        e, f, g_a, g_w = (ops.sigmoid(gate) for gate in (e, f, g_a, g_w))
        pi = ops.softmax(pi, axis=-1)

        psi = addressing.retention(f, w_r)
        u = addressing.usage(u, w_w, psi)
        a = addressing.allocation_weighting(u)
        c = addressing.content_weighting(M, k_w, beta_w)
        w_w = addressing.write_weighting(c, a, g_a, g_w)
        M = addressing.write(M, w_w, e, v)

        L, forward, backward = link(L, w_w, p, w_r)
        p = addressing.precedence(p, w_w)
        c = addressing.content_weighting(M, k_r, beta_r)
        w_r = addressing.read_weighting(backward, c, forward, pi)
        r = addressing.read(M, w_r)
        return State(M, u, p, L, w_w, w_r, r)
