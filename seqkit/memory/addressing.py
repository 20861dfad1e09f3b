"""Where heads look: pure functions, an equation each, in float32.

Shapes: memory M (batch, word, slots), whose slots lie side by side, as weightings do; weightings w
(batch, heads, slots); keys k and whatever else heads say (batch, heads, ...). A weighting is
non-negative and sums to one, or to less where its head looks nowhere.
"""

from keras import ops

from seqkit.typing import Tensor

EPSILON = 1e-6  # under roots and logarithms: no gradient is infinite
# A slot's squared length is taken for so much more. The direction of a slot where hardly anything
# was written would turn with every trace of a write: gradients of hundreds, and seeds that never
# converge. So what is almost empty resembles no key.
ALMOST_EMPTY = 0.1


def content_weighting(memory: Tensor, keys: Tensor, strengths: Tensor) -> Tensor:
    """w^c = softmax_i(beta K[k, M(i)])

    Args:
        memory: M (batch, word, slots).
        keys: k (batch, heads, word).
        strengths: beta >= 0 (batch, heads, 1).

    Source:
        Graves et al. 2014, eq. 5.
    """
    return ops.softmax(strengths * cosine_similarity(memory, keys), axis=-1)


def cosine_similarity(memory: Tensor, keys: Tensor) -> Tensor:
    """K[k, M(i)] = k M(i) / (|k| |M(i)|): (batch, heads, slots)

    Source:
        Graves et al. 2014, eq. 6.

    Deviations:
        |M(i)| is the root of |M(i)|^2 + 0.1, so that a slot shorter than about 0.3 resembles
        nothing.

    Example:
        >>> import numpy as np
        >>> memory, keys = 9 * np.eye(3, dtype="float32")[None], np.array([[[0, 2, 0]]], "float32")
        >>> np.array(cosine_similarity(memory, keys)).round(2).tolist()
        [[[0.0, 1.0, 0.0]]]
    """
    # A sum over the word as a matrix product, which is faster.
    lengths = ops.sqrt(ops.matmul(ops.ones_like(keys[:, :1]), ops.square(memory)) + ALMOST_EMPTY)
    key_lengths = ops.sqrt(ops.sum(ops.square(keys), axis=-1, keepdims=True) + EPSILON)
    return ops.matmul(keys / key_lengths, memory) / lengths


def interpolate(content: Tensor, previous: Tensor, gate: Tensor) -> Tensor:
    """w^g = g w^c + (1 - g) w_{t-1}, with g in [0, 1] (batch, heads, 1)

    Source:
        Graves et al. 2014, eq. 7.
    """
    return gate * content + (1 - gate) * previous


def shift(weighting: Tensor, shifts: Tensor) -> Tensor:
    """w~(i) = sum_j w^g(i - j) s(j), the slots in a circle

    Args:
        weighting: w^g (batch, heads, slots).
        shifts: s (batch, heads, 2 r + 1), how much to move by -r ... r slots.

    Source:
        Graves et al. 2014, eq. 8.

    Example:
        >>> import numpy as np
        >>> by_one = np.array([[[0.0, 0.0, 1.0]]])
        >>> np.array(shift(np.array([[[0.0, 0.0, 0.0, 1.0]]]), by_one)).tolist()
        [[[1.0, 0.0, 0.0, 0.0]]]
    """
    r = shifts.shape[-1] // 2
    return sum(shifts[..., r + j, None] * ops.roll(weighting, j, axis=-1) for j in range(-r, r + 1))


def sharpen(weighting: Tensor, sharpness: Tensor) -> Tensor:
    """w(i) = w~(i)^gamma / sum_j w~(j)^gamma = softmax_i(gamma log w~(i))

    In logarithms no power underflows, and 0^gamma has a gradient.

    Args:
        weighting: w~ (batch, heads, slots).
        sharpness: gamma >= 1 (batch, heads, 1).

    Source:
        Graves et al. 2014, eq. 9.
    """
    return ops.softmax(sharpness * ops.log(weighting + EPSILON), axis=-1)


def read(memory: Tensor, weighting: Tensor) -> Tensor:
    """R = sum_i w(i) M(i): (batch, heads, word)

    Source:
        Graves et al. 2014, eq. 2.
    """
    return ops.swapaxes(ops.matmul(memory, ops.swapaxes(weighting, 1, 2)), 1, 2)


def write(memory: Tensor, weighting: Tensor, erase: Tensor, add: Tensor) -> Tensor:
    """M_t(i) = M_{t-1}(i) prod_h (1 - w_h(i) e_h) + sum_h w_h(i) a_h

    Args:
        memory: M_{t-1} (batch, word, slots).
        weighting: w (batch, heads, slots).
        erase, add: e in [0, 1] and a (batch, heads, word).

    Source:
        Graves et al. 2014, eq. 3-4.
    """
    for head in range(weighting.shape[1]):
        h = slice(head, head + 1)
        erased = ops.matmul(ops.swapaxes(erase[:, h], 1, 2), weighting[:, h])  # e w
        memory = memory - memory * erased
    return memory + ops.matmul(ops.swapaxes(add, 1, 2), weighting)


# The differentiable neural computer (Graves et al. 2016, Methods, "Content-based addressing" to
# "Temporal memory linkage"). There is one writing head: its heads axis has size 1.


def retention(free_gates: Tensor, read_weighting: Tensor) -> Tensor:
    """psi_t(i) = prod_r (1 - f^r w^r_{t-1}(i)): how much each slot is kept, (batch, 1, slots)

    Args:
        free_gates: f in [0, 1] (batch, heads, 1).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Source:
        Graves et al. 2016, Methods, "Dynamic memory allocation".
    """
    kept = 1 - free_gates * read_weighting
    psi = kept[:, :1]
    for head in range(1, kept.shape[1]):  # a product over an axis has a slow gradient
        psi = psi * kept[:, head : head + 1]
    return psi


def usage(previous: Tensor, write_weighting: Tensor, retention: Tensor) -> Tensor:
    """u_t = (u_{t-1} + w^w_{t-1} - u_{t-1} w^w_{t-1}) psi_t, in [0, 1]: (batch, 1, slots)

    Source:
        Graves et al. 2016, Methods, "Dynamic memory allocation".
    """
    return (previous + (1 - previous) * write_weighting) * retention


def allocation_weighting(usage: Tensor) -> Tensor:
    """a_t(i) = (1 - u_t(i)) prod_j u_t(j) over the slots j that come before i on the free list

    The free list is in the order of usage, and of slots where usage is equal. The product is taken
    in logarithms over all pairs of slots, which XLA does faster than it sorts; a usage of 0 counts
    as `EPSILON` in it. The order has no gradient, as in the paper.

    Args:
        usage: u_t in [0, 1] (batch, 1, slots).

    Source:
        Graves et al. 2016, Methods, eq. 1.

    Example:
        >>> import numpy as np
        >>> u = np.array([[[0.5, 0.1, 1.0, 0.5]]], "float32")
        >>> np.array(allocation_weighting(u), "float64").round(3).tolist()
        [[[0.05, 0.9, 0.0, 0.025]]]
    """
    slots = ops.arange(usage.shape[-1])
    u, other = usage[..., :, None], usage[..., None, :]
    lower_slot = slots[None, :] < slots[:, None]
    earlier = ops.logical_or(other < u, ops.logical_and(other == u, lower_slot))
    u = EPSILON + (1 - EPSILON) * usage
    earlier_logs = ops.where(earlier, ops.log(u)[..., None, :], ops.zeros((), u.dtype))
    return (1 - u) * ops.exp(ops.sum(earlier_logs, axis=-1))


def write_weighting(
    content: Tensor, allocation: Tensor, allocation_gate: Tensor, write_gate: Tensor
) -> Tensor:
    """w^w_t = g^w (g^a a_t + (1 - g^a) c^w_t), with gates (batch, 1, 1): (batch, 1, slots)

    Source:
        Graves et al. 2016, Methods, "Write weighting".
    """
    return write_gate * interpolate(allocation, content, allocation_gate)


def precedence(previous: Tensor, write_weighting: Tensor) -> Tensor:
    """p_t = (1 - sum_i w^w_t(i)) p_{t-1} + w^w_t: where the last write went, (batch, 1, slots)

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".
    """
    # A sum may round to a little more than one.
    left = ops.relu(1 - ops.sum(write_weighting, axis=-1, keepdims=True))
    return left * previous + write_weighting


def temporal_links(previous: Tensor, write_weighting: Tensor, precedence: Tensor) -> Tensor:
    """L_t[i, j] = (1 - w^w_t(i) - w^w_t(j)) L_{t-1}[i, j] + w^w_t(i) p_{t-1}(j), and L_t[i, i] = 0

    How much slot i was written right after slot j: (batch, slots, slots).

    Args:
        previous: L_{t-1} (batch, slots, slots).
        write_weighting: w^w_t (batch, 1, slots).
        precedence: p_{t-1} (batch, 1, slots).

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".
    """
    w_i = ops.swapaxes(write_weighting, 1, 2)
    links = kept_links(write_weighting) * previous + w_i * precedence
    return links * off_diagonal(write_weighting)


def kept_links(write_weighting: Tensor) -> Tensor:
    """1 - w^w_t(i) - w^w_t(j), which on the diagonal doesn't matter: (batch, slots, slots)"""
    kept = 1 - ops.swapaxes(write_weighting, 1, 2) - write_weighting
    return ops.relu(kept)  # w(i) + w(j) may round to a little more than one


def off_diagonal(write_weighting: Tensor) -> Tensor:
    """0 where i = j, 1 elsewhere: (slots, slots)"""
    return 1 - ops.eye(write_weighting.shape[-1], dtype=write_weighting.dtype)


def directional_weightings(links: Tensor, read_weighting: Tensor) -> tuple[Tensor, Tensor]:
    """f^r_t = L_t w^r_{t-1} and b^r_t = L_t' w^r_{t-1}: what was written after and before

    Args:
        links: L_t (batch, slots, slots).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Returns:
        f and b, (batch, heads, slots) each.

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".

    Example:
        >>> import numpy as np
        >>> links = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])  # written: slot 0, then 1, then 2
        >>> f, b = directional_weightings(links, np.array([[[0.0, 1.0, 0.0]]]))
        >>> np.array(f).tolist(), np.array(b).tolist()
        ([[[0.0, 0.0, 1.0]]], [[[1.0, 0.0, 0.0]]])
    """
    f = ops.matmul(read_weighting, ops.swapaxes(links, 1, 2))
    return f, ops.matmul(read_weighting, links)


def read_weighting(backward: Tensor, content: Tensor, forward: Tensor, modes: Tensor) -> Tensor:
    """w^r_t = pi_1 b^r_t + pi_2 c^r_t + pi_3 f^r_t: (batch, heads, slots)

    Args:
        backward, content, forward: b, c, f (batch, heads, slots).
        modes: pi (batch, heads, 3), which sums to one.

    Source:
        Graves et al. 2016, Methods, "Read weighting".
    """
    pi_1, pi_2, pi_3 = (modes[..., k : k + 1] for k in range(3))
    return pi_1 * backward + pi_2 * content + pi_3 * forward
