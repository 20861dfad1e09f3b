"""Temporal linkage of the differentiable neural computer, with a custom gradient.

The automatic gradients of TensorFlow and JAX store several (batch, slots, slots) tensors per step
for the backward pass, which then dominates the training step. One is enough: L_{t-1}.
"""

from keras import ops

from seqkit import backend
from seqkit.memory import addressing
from seqkit.typing import Tensor


def link(
    links: Tensor, write_weighting: Tensor, precedence: Tensor, read_weighting: Tensor
) -> tuple:
    """Compute the temporal links and the directional weightings.

        L_t,   f^r_t = L_t w^r_{t-1},   b^r_t = L_t' w^r_{t-1}

    Args:
        links: L_{t-1} (batch, slots, slots), with a diagonal of 0.
        write_weighting: w^w_t (batch, 1, slots).
        precedence: p_{t-1} (batch, 1, slots).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Returns:
        L_t (batch, slots, slots), f and b (batch, heads, slots).

    Source:
        Graves et al. 2016, Methods, "Temporal memory linkage".
    """
    return _link(links, write_weighting, precedence, read_weighting)


@backend.custom_gradient
def _link(L: Tensor, w: Tensor, p: Tensor, w_r: Tensor) -> tuple:
    after = addressing.temporal_links(L, w, p)
    f, b = addressing.directional_weightings(after, w_r)

    def gradient(d_after: Tensor, df: Tensor, db: Tensor) -> tuple:
        kept, off_diagonal, ones = _kept_links(w), addressing.off_diagonal(w), ops.ones_like(w)
        # L_t is recomputed: storing it would take as much memory as L_{t-1}.
        after = (kept * L + _t(w) * p) * off_diagonal
        dw_r = ops.matmul(df, after) + ops.matmul(db, _t(after))
        # f and b are products of L_t, so its gradient gets outer products of two vectors.
        d = d_after + _outer(ops.concatenate([df, w_r], 1), ops.concatenate([w_r, db], 1))
        # The diagonal of L_t is 0, so that of d is left out of the sums.
        diagonal = ops.diagonal(d, axis1=1, axis2=2)[:, None]
        # Sums over an axis are matrix products, which are faster.
        x = d * L
        dw = ops.matmul(p, _t(d)) - p * diagonal - ops.matmul(ones, _t(x)) - ops.matmul(ones, x)
        dp = ops.matmul(w, d) - w * diagonal
        return d * kept * off_diagonal, dw, dp, dw_r

    return (after, f, b), gradient


def _kept_links(w: Tensor) -> Tensor:
    """Compute `addressing.kept_links` as a matrix product, faster if used twice."""
    ones = ops.ones_like(w)
    return ops.relu(_outer(ops.concatenate([ones, -w], 1), ops.concatenate([1 - w, ones], 1)))


def _outer(a: Tensor, b: Tensor) -> Tensor:
    """Compute sum_k a_k(i) b_k(j): (batch, k, slots) twice -> (batch, slots, slots)."""
    return ops.matmul(_t(a), b)


def _t(v: Tensor) -> Tensor:
    return ops.swapaxes(v, 1, 2)
