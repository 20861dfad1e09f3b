"""Temporal linkage of the differentiable neural computer, with a gradient of its own.

What TensorFlow and JAX derive keeps several (batch, slots, slots) tensors of each step for the way
back, which then takes nearly all the time of a training step. One is enough: L_{t-1}.
"""

from typing import Any

from keras import ops

from seqkit import backend
from seqkit.memory import addressing


def link(links: Any, write_weighting: Any, precedence: Any, read_weighting: Any) -> tuple:
    """L_t, f^r_t = L_t w^r_{t-1} and b^r_t = L_t' w^r_{t-1}: links and directional weightings

    Args:
        links: L_{t-1} (batch, slots, slots).
        write_weighting: w^w_t (batch, 1, slots).
        precedence: p_{t-1} (batch, 1, slots).
        read_weighting: w^r_{t-1} (batch, heads, slots).

    Returns: L_t (batch, slots, slots), f and b (batch, heads, slots).
    Source: Graves et al. 2016, Methods, "Temporal memory linkage".
    """
    return _link(links, write_weighting, precedence, read_weighting)


@backend.custom_gradient
def _link(L: Any, w: Any, p: Any, w_r: Any) -> tuple:
    after = addressing.temporal_links(L, w, p)
    f, b = addressing.directional_weightings(after, w_r)

    def gradient(d_after: Any, df: Any, db: Any) -> tuple:
        # f and b are products of L_t, whose gradient so gets outer products of two vectors.
        outer = _matmul_t(ops.concatenate([df, w_r], 1), ops.concatenate([w_r, db], 1))
        d_after = (d_after + outer) * addressing.off_diagonal(w)
        # L_t is not kept: products of it are written out in products of L_{t-1}, w and p.
        forth = ops.matmul(ops.concatenate([df, df * (1 - w)], 1), L)
        back = ops.matmul(ops.concatenate([db, db * w], 1), _t(L))
        df_L, df_kept_L = ops.split(forth, 2, axis=1)
        db_L, db_w_L = ops.split(back, 2, axis=1)
        dw_r = (
            df_kept_L
            - w * df_L
            + ops.matmul(df, _t(w)) * p
            - df * w * p
            + (1 - w) * db_L
            - db_w_L
            + ops.matmul(db, _t(p)) * w
            - db * w * p
        )
        # Sums over an axis as matrix products, which are faster.
        x, ones = d_after * L, ops.ones_like(w)
        dw = ops.matmul(p, _t(d_after)) - ops.matmul(ones, _t(x)) - ops.matmul(ones, x)
        return d_after * addressing.kept_links(w), dw, ops.matmul(w, d_after), dw_r

    return (after, f, b), gradient


def _t(v: Any) -> Any:
    return ops.swapaxes(v, 1, 2)


def _matmul_t(a: Any, b: Any) -> Any:
    return ops.matmul(_t(a), b)
