"""Equations of memory access as pure functions, in float32.

Shapes: memory M (batch, word, slots), with contiguous slots like the weightings; weightings w
(batch, heads, slots); keys k and other parameters of heads (batch, heads, ...). A weighting is
non-negative and sums to at most one.
"""

from keras import ops

from seqkit.shapes import shapes
from seqkit.typing import Tensor

EPSILON = 1e-6  # in roots and logarithms: keeps gradients finite
# Added to the squared norm of a slot, so that an almost empty one resembles no key. Otherwise its
# direction changes with the smallest write: gradients explode, and some seeds never converge.
SLOT_NORM_EPSILON = 0.1


@shapes(memory="batch word slots", keys="batch heads word", strengths="batch heads 1")
def content_weighting(memory: Tensor, keys: Tensor, strengths: Tensor) -> Tensor:
    """Compute a weighting by content.

        w^c = softmax_i(beta K[k, M(i)])

    Args:
        memory: M (batch, word, slots).
        keys: k (batch, heads, word).
        strengths: beta >= 0 (batch, heads, 1).

    Source:
        Graves et al. 2014, eq. 5.
    """
    return ops.softmax(strengths * cosine_similarity(memory, keys), axis=-1)


@shapes(memory="batch word slots", keys="batch heads word")
def cosine_similarity(memory: Tensor, keys: Tensor) -> Tensor:
    """Compute the cosine similarity of keys and slots, (batch, heads, slots).

        K[k, M(i)] = k M(i) / (|k| |M(i)|)

    Source:
        Graves et al. 2014, eq. 6.

    Deviations:
        |M(i)| is the root of |M(i)|^2 + 0.1, so that a slot with a norm below about 0.3 resembles
        no key.

    Example:
        >>> import numpy as np
        >>> memory, keys = 9 * np.eye(3, dtype="float32")[None], np.array([[[0, 2, 0]]], "float32")
        >>> np.array(cosine_similarity(memory, keys)).round(2).tolist()
        [[[0.0, 1.0, 0.0]]]
    """
    # The sum over the word is a matrix product, which is faster.
    lengths = ops.sqrt(
        ops.matmul(ops.ones_like(keys[:, :1]), ops.square(memory)) + SLOT_NORM_EPSILON
    )
    key_lengths = ops.sqrt(ops.sum(ops.square(keys), axis=-1, keepdims=True) + EPSILON)
    return ops.matmul(keys / key_lengths, memory) / lengths


@shapes(content="batch heads slots", previous="batch heads slots", gate="batch heads 1")
def interpolate(content: Tensor, previous: Tensor, gate: Tensor) -> Tensor:
    """Interpolate with the previous weighting, with a gate g in [0, 1] (batch, heads, 1).

        w^g = g w^c + (1 - g) w_{t-1}

    Source:
        Graves et al. 2014, eq. 7.
    """
    return gate * content + (1 - gate) * previous


@shapes(weighting="batch heads slots", shifts="batch heads shifts")
def shift(weighting: Tensor, shifts: Tensor) -> Tensor:
    """Shift a weighting along the slots, which form a circle.

        w~(i) = sum_j w^g(i - j) s(j)

    Args:
        weighting: w^g (batch, heads, slots).
        shifts: s (batch, heads, 2 r + 1), weights of shifts by -r ... r slots.

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


@shapes(weighting="batch heads slots", sharpness="batch heads 1")
def sharpen(weighting: Tensor, sharpness: Tensor) -> Tensor:
    """Sharpen a weighting.

        w(i) = w~(i)^gamma / sum_j w~(j)^gamma = softmax_i(gamma log w~(i))

    In logarithms no power underflows, and 0^gamma has a gradient.

    Args:
        weighting: w~ (batch, heads, slots).
        sharpness: gamma >= 1 (batch, heads, 1).

    Source:
        Graves et al. 2014, eq. 9.
    """
    return ops.softmax(sharpness * ops.log(weighting + EPSILON), axis=-1)


@shapes(memory="batch word slots", weighting="batch heads slots")
def read(memory: Tensor, weighting: Tensor) -> Tensor:
    """Read words (batch, heads, word) from the memory.

        r = sum_i w(i) M(i)

    Source:
        Graves et al. 2014, eq. 2.
    """
    return ops.swapaxes(ops.matmul(memory, ops.swapaxes(weighting, 1, 2)), 1, 2)


@shapes(
    memory="batch word slots",
    weighting="batch heads slots",
    erase="batch heads word",
    add="batch heads word",
)
def write(memory: Tensor, weighting: Tensor, erase: Tensor, add: Tensor) -> Tensor:
    """Erase and add at the weighted slots of the memory.

        M_t(i) = M_{t-1}(i) prod_h (1 - w_h(i) e_h) + sum_h w_h(i) a_h

    Args:
        memory: M_{t-1} (batch, word, slots).
        weighting: w (batch, heads, slots).
        erase: e in [0, 1] (batch, heads, word).
        add: a (batch, heads, word).

    Source:
        Graves et al. 2014, eq. 3-4.
    """
    for head in range(weighting.shape[1]):
        h = slice(head, head + 1)
        erased = ops.matmul(ops.swapaxes(erase[:, h], 1, 2), weighting[:, h])  # e w
        memory = memory - memory * erased
    return memory + ops.matmul(ops.swapaxes(add, 1, 2), weighting)


# The differentiable neural computer (Graves et al. 2016, Methods, "Content-based addressing" to
# "Temporal memory linkage"). It has one write head: its heads axis has size 1.


@shapes(free_gates="batch heads 1", read_weighting="batch heads slots")
def retention(free_gates: Tensor, read_weighting: Tensor) -> Tensor:
    """Compute how much of each slot is retained, (batch, 1, slots).

        psi_t(i) = prod_r (1 - f^r w^r_{t-1}(i))

    Args:
        free_gates: f in [0, 1] (batch, heads, 1).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Source:
        Graves et al. 2016, Methods, "Dynamic memory allocation".
    """
    kept = 1 - free_gates * read_weighting
    psi = kept[:, :1]
    for head in range(1, kept.shape[1]):  # the gradient of ops.prod is slow
        psi = psi * kept[:, head : head + 1]
    return psi


@shapes(previous="batch 1 slots", write_weighting="batch 1 slots", retention="batch 1 slots")
def usage(previous: Tensor, write_weighting: Tensor, retention: Tensor) -> Tensor:
    """Compute the usage of the slots in [0, 1], (batch, 1, slots).

        u_t = (u_{t-1} + w^w_{t-1} - u_{t-1} w^w_{t-1}) psi_t

    Source:
        Graves et al. 2016, Methods, "Dynamic memory allocation".
    """
    return (previous + (1 - previous) * write_weighting) * retention


@shapes(usage="batch 1 slots")
def allocation_weighting(usage: Tensor) -> Tensor:
    """Compute the weighting by free space, (batch, 1, slots).

        a_t(i) = (1 - u_t(i)) prod_j u_t(j)     over the slots j before i on the free list

    The free list is sorted by usage, with ties in the order of slots. The product is computed in
    logarithms over all pairs of slots, which is faster than sorting under XLA; a usage of 0 counts
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


@shapes(
    content="batch 1 slots",
    allocation="batch 1 slots",
    allocation_gate="batch 1 1",
    write_gate="batch 1 1",
)
def write_weighting(
    content: Tensor, allocation: Tensor, allocation_gate: Tensor, write_gate: Tensor
) -> Tensor:
    """Compute the write weighting (batch, 1, slots) from gates (batch, 1, 1).

        w^w_t = g^w (g^a a_t + (1 - g^a) c^w_t)

    Source:
        Graves et al. 2016, Methods, "Write weighting".
    """
    return write_gate * interpolate(allocation, content, allocation_gate)


@shapes(previous="batch 1 slots", write_weighting="batch 1 slots")
def precedence(previous: Tensor, write_weighting: Tensor) -> Tensor:
    """Compute how much each slot was the last one written, (batch, 1, slots).

        p_t = (1 - sum_i w^w_t(i)) p_{t-1} + w^w_t

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".
    """
    # The sum may round to slightly more than one.
    left = ops.relu(1 - ops.sum(write_weighting, axis=-1, keepdims=True))
    return left * previous + write_weighting


@shapes(previous="batch slots slots", write_weighting="batch 1 slots", precedence="batch 1 slots")
def temporal_links(previous: Tensor, write_weighting: Tensor, precedence: Tensor) -> Tensor:
    """Compute how much slot i was written right after slot j, (batch, slots, slots).

        L_t[i, j] = (1 - w^w_t(i) - w^w_t(j)) L_{t-1}[i, j] + w^w_t(i) p_{t-1}(j),  L_t[i, i] = 0

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


@shapes(write_weighting="batch 1 slots")
def kept_links(write_weighting: Tensor) -> Tensor:
    """Compute 1 - w^w_t(i) - w^w_t(j), (batch, slots, slots); the diagonal is not used."""
    kept = 1 - ops.swapaxes(write_weighting, 1, 2) - write_weighting
    return ops.relu(kept)  # w(i) + w(j) may round to slightly more than one


@shapes(write_weighting="batch 1 slots")
def off_diagonal(write_weighting: Tensor) -> Tensor:
    """Return a matrix (slots, slots) that is 0 on the diagonal and 1 elsewhere."""
    return 1 - ops.eye(write_weighting.shape[-1], dtype=write_weighting.dtype)


@shapes(links="batch slots slots", read_weighting="batch heads slots")
def directional_weightings(links: Tensor, read_weighting: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the weightings of the slots written after and before those read last.

        f^r_t = L_t w^r_{t-1},   b^r_t = L_t' w^r_{t-1}

    Args:
        links: L_t (batch, slots, slots).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Returns:
        f and b, (batch, heads, slots) each.

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".

    Example:
        >>> import numpy as np
        >>> links = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])  # 0, 1, 2 written in order
        >>> f, b = directional_weightings(links, np.array([[[0.0, 1.0, 0.0]]]))
        >>> np.array(f).tolist(), np.array(b).tolist()
        ([[[0.0, 0.0, 1.0]]], [[[1.0, 0.0, 0.0]]])
    """
    f = ops.matmul(read_weighting, ops.swapaxes(links, 1, 2))
    return f, ops.matmul(read_weighting, links)


@shapes(
    backward="batch heads slots",
    content="batch heads slots",
    forward="batch heads slots",
    modes="batch heads 3",
)
def read_weighting(backward: Tensor, content: Tensor, forward: Tensor, modes: Tensor) -> Tensor:
    """Compute the read weighting (batch, heads, slots).

        w^r_t = pi_1 b^r_t + pi_2 c^r_t + pi_3 f^r_t

    Args:
        backward: b (batch, heads, slots).
        content: c (batch, heads, slots).
        forward: f (batch, heads, slots).
        modes: pi (batch, heads, 3), which sum to one.

    Source:
        Graves et al. 2016, Methods, "Read weighting".
    """
    pi_1, pi_2, pi_3 = (modes[..., k : k + 1] for k in range(3))
    return pi_1 * backward + pi_2 * content + pi_3 * forward
