"""Linear-chain conditional random field: log-potentials, and pure functions of them.

A CRF scores a whole sequence of tags y given x:

    p(y | x) = exp(sum_t P_t[y_{t-1}, y_t]) / Z,    P_t[i, j] = A[i, j] + u_t[j]

where u are the scores of the tags at each step (a network's outputs) and A the scores of their
transitions. The layer `CRF` turns u into the log-potentials P (batch, time, tags, tags), with the
mask, the first and the last step folded in: a masked step is the identity, and every path starts in
tag 0 with score 0. Everything else is computed from P alone: `crf_loss`, `log_partition`,
`viterbi`, `n_best`, `marginals`.

Source:
    Lafferty et al. 2001; Collobert et al. 2011, 3.3.2; Lample et al. 2016, 2.2.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqkit.backend import scan
from seqkit.checks import positive
from seqkit.ops import time_first
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Nest, Shape, Tensor

IMPOSSIBLE = -1e9  # too low for any sum of scores to outweigh; unlike -inf, never makes a NaN


@keras.saving.register_keras_serializable(package="seqkit")
class CRF(ConfigFromSignature, keras.layers.Layer):
    """Log-potentials of a linear chain, from the scores of each step.

    Args:
        tags: Number of tags, > 0.
        constraints: Which tags may follow each other, as `transition_constraints` returns it: a
            dict of nested lists of bools, `transitions` (tags, tags), `start` (tags,), `end`
            (tags,). None: all may.

    Call arguments:
        scores: (batch, time, tags).
        mask: (batch, time) bool, True = real.

    Returns:
        P (batch, time, tags, tags), float32 whatever the global policy: P[b, t, i, j] is the score
        of tag j at step t after tag i.

    Raises:
        ValueError: If the last axis of the scores is not `tags`, or the constraints have another
            size.

    Masking:
        Padding may lie anywhere; the step after a gap follows the step before it. The mask is
        consumed: the output has none.

    Source:
        Lample et al. 2016, 2.2.

    Example:
        >>> import numpy as np
        >>> from seqkit import CRF, crf_loss, viterbi
        >>> potentials = CRF(3)(np.zeros((2, 5, 3)))
        >>> tuple(potentials.shape), tuple(viterbi(potentials)[0].shape)
        ((2, 5, 3, 3), (2, 5))
        >>> tuple(crf_loss(np.zeros((2, 5), int), potentials).shape)
        (2,)
    """

    def __init__(self, tags: int, constraints: dict | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.tags = positive("tags", tags, self)
        self.constraints = constraints
        self.supports_masking = True
        shapes = {"transitions": (tags, tags), "start": (tags,), "end": (tags,)}
        for name, shape in shapes.items() if constraints else ():
            if np.shape(constraints[name]) != shape:
                raise ValueError(
                    f"CRF: constraints[{name!r}] has shape {np.shape(constraints[name])}; {tags} "
                    f"tags need {shape}"
                )

    def build(self, scores_shape: Shape) -> None:
        if scores_shape[-1] != self.tags:
            raise ValueError(
                f"CRF: scores have size {scores_shape[-1]}; there are {self.tags} tags"
            )
        for name, rank in ("transitions", 2), ("start", 1), ("end", 1):
            shape = (self.tags,) * rank
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def call(self, scores: Tensor, mask: Mask = None) -> Tensor:
        transitions, start, end = map(self._allowed, ("transitions", "start", "end"))
        return log_potentials(scores, mask, transitions, start, end)

    def _allowed(self, name: str) -> Tensor:
        weight = ops.cast(getattr(self, name), "float32")
        if not self.constraints:
            return weight
        return ops.where(np.array(self.constraints[name], bool), weight, IMPOSSIBLE)

    def compute_mask(self, scores: Tensor, mask: Mask = None) -> None:
        return None


def log_potentials(
    scores: Tensor,
    mask: Mask = None,
    transitions: Tensor = 0.0,
    start: Tensor = 0.0,
    end: Tensor = 0.0,
) -> Tensor:
    """Compute the log-potentials P of a linear chain; from scores alone, of independent steps.

    Args:
        scores: (batch, time, tags).
        mask: (batch, time) bool, True = real.
        transitions: A (tags, tags).
        start: Scores (tags,) of starting in each tag.
        end: Scores (tags,) of ending in each tag.

    Returns:
        (batch, time, tags, tags) float32.
    """
    tags = scores.shape[-1]
    scores = ops.cast(scores, "float32")
    real = ops.ones(ops.shape(scores)[:2], "bool") if mask is None else ops.cast(mask, "bool")
    scores = ops.where(real[..., None], scores, 0.0)  # padding may hold anything
    count = ops.cumsum(ops.cast(real, "int32"), axis=1)
    is_first = (count == 1)[..., None, None]
    is_last = (count == count[:, -1:])[..., None]  # and the padding after it

    # Every path comes from tag 0, whose row the first step reads; the other rows don't matter.
    into = ops.where(is_first, ops.broadcast_to(start, (tags, tags)), transitions)
    scores = scores + ops.where(is_last, end, 0.0)
    identity = ops.where(ops.eye(tags, dtype="bool"), 0.0, IMPOSSIBLE)
    return ops.where(real[..., None, None], into + scores[:, :, None, :], identity)


def transition_constraints(tags: Sequence[str], scheme: str = "BIO") -> dict[str, list]:
    """Return which tags may follow each other in a tagging scheme for spans.

    Args:
        tags: Names such as "O", "B-NP", "I-NP", and for IOBES also "E-NP", "S-NP".
        scheme: "BIO" (a span begins with B) or "IOBES" (it also ends with E, or is a single S).

    Returns:
        `transitions`, `start` and `end` for `CRF`, as nested lists of bools.

    Raises:
        ValueError: If the scheme is unknown, or a tag is not part of it.

    Example:
        >>> transition_constraints(["O", "B-NP", "I-NP"])["start"]
        [True, True, False]
    """
    if scheme not in ("BIO", "IOBES"):
        raise ValueError(f"scheme is {scheme!r}; it must be 'BIO' or 'IOBES'")
    for tag in tags:
        if tag != "O" and (tag[:1] not in scheme.replace("O", "") or tag[1:2] != "-"):
            raise ValueError(f"tag {tag!r} is not part of the {scheme} scheme")

    def follows(before: str, after: str) -> bool:
        """Return whether `after` may follow `before`; "O" also means outside of the sentence."""
        continues = after[0] in ("IE" if scheme == "IOBES" else "I")
        is_open = before[0] in "BI"
        if continues:
            return is_open and before[1:] == after[1:]
        return scheme == "BIO" or not is_open

    return {
        "transitions": [[follows(i, j) for j in tags] for i in tags],
        "start": [follows("O", j) for j in tags],
        "end": [follows(i, "O") for i in tags],
    }


@keras.saving.register_keras_serializable(package="seqkit")
def crf_loss(tags: Tensor, potentials: Tensor) -> Tensor:
    """Compute the negative log-likelihood -log p(y | x) of each sequence: a Keras loss.

    Args:
        tags: (batch, time) ints; the values at masked steps are not read.
        potentials: P (batch, time, tags, tags), as `CRF` returns it.

    Returns:
        (batch,) float32.
    """
    return log_partition(potentials) - path_score(tags, potentials)


def path_score(tags: Tensor, potentials: Tensor) -> Tensor:
    """Compute sum_t P_t[y_{t-1}, y_t]: tags (batch, time) and P -> (batch,)."""
    count = potentials.shape[-1]
    flat = ops.reshape(potentials, (*ops.shape(potentials)[:2], count * count))
    real = _is_real(potentials)
    tags = ops.cast(tags, "int32")

    def carry_tag(before: Nest, now: tuple) -> tuple:
        tag, is_real = now
        after = ops.where(is_real, tag, before)
        return after, before * count + after

    initial = ops.zeros_like(tags[:, 0])
    _, edges = scan(carry_tag, initial, (ops.transpose(tags), ops.transpose(real)))
    return ops.sum(ops.take_along_axis(flat, ops.transpose(edges)[..., None], axis=2), axis=(1, 2))


def log_partition(potentials: Tensor) -> Tensor:
    """Compute log Z, (batch,)."""
    _, last = _forward(potentials)
    return ops.logsumexp(last, axis=1)


def marginals(potentials: Tensor) -> Tensor:
    """Compute p(y_t = j | x), (batch, time, tags); a masked step repeats the step before it."""
    before, last = _forward(potentials)  # alpha_{t-1}

    def step(beta: Tensor, p: Tensor) -> tuple:
        # beta_{t-1}[i] = log sum_j exp(P_t[i, j] + beta_t[j])
        return ops.logsumexp(p + beta[:, None, :], axis=2), beta

    _, beta = scan(step, ops.zeros_like(last), time_first(potentials), reverse=True)
    alpha = ops.concatenate([before[1:], last[None]], axis=0)
    log_z = ops.logsumexp(last, axis=1)
    return time_first(ops.exp(alpha + beta - log_z[None, :, None]))


def viterbi(potentials: Tensor) -> tuple[Tensor, Tensor]:
    """Find the most probable tags and their log-probability.

    Returns:
        Tags (batch, time) int32, where a masked step repeats the step before it (0 before the
        first), and log p(y | x) (batch,).
    """
    tags, log_probabilities = n_best(potentials, 1)
    return tags[:, 0], log_probabilities[:, 0]


def n_best(potentials: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Find the n most probable tag sequences, the best first.

    Returns:
        Tags (batch, n, time) int32, and log p(y | x) (batch, n), which is below -1e8 where fewer
        than n sequences are possible.

    Source:
        List Viterbi, Seshadri and Sundberg 1994.
    """
    count = potentials.shape[-1]
    batch = ops.shape(potentials)[0]
    # delta[b, j, k]: the k-th best score of a path that ends in tag j.
    delta = _at_tag_0(batch, count)[..., None] + ops.where(ops.arange(n) == 0, 0.0, IMPOSSIBLE)

    def extend(delta: Tensor, p: Tensor) -> tuple:
        paths = delta[:, :, None, :] + p[..., None]  # (batch, from, to, k)
        paths = ops.reshape(ops.transpose(paths, (0, 2, 1, 3)), (batch, count, count * n))
        best, source = ops.top_k(paths, n)
        return best, ops.cast(source, "int32")  # source = from * n + k

    delta, sources = scan(extend, delta, time_first(potentials))
    best, end = ops.top_k(ops.reshape(delta, (batch, count * n)), n)

    def trace_back(at: Tensor, source: Tensor) -> tuple:  # at = tag * n + k: (batch, n)
        source = ops.reshape(source, (batch, count * n))
        return ops.take_along_axis(source, at, axis=1), at // n

    _, tags = scan(trace_back, ops.cast(end, "int32"), sources, reverse=True)
    return ops.transpose(tags, (1, 2, 0)), best - log_partition(potentials)[:, None]


def _forward(potentials: Tensor) -> tuple[Tensor, Tensor]:
    """Compute alpha_{t-1} for every t (time, batch, tags), and the last alpha (batch, tags).

    alpha_t[j] = log sum_i exp(alpha_{t-1}[i] + P_t[i, j])
    """

    def step(alpha: Tensor, p: Tensor) -> tuple:
        return ops.logsumexp(alpha[:, :, None] + p, axis=1), alpha

    initial = _at_tag_0(ops.shape(potentials)[0], potentials.shape[-1])
    last, before = scan(step, initial, time_first(potentials))
    return before, last


def _at_tag_0(batch: Tensor, count: int) -> Tensor:
    """Return the scores before the first step, (batch, tags): 0 for tag 0."""
    return ops.broadcast_to(ops.where(ops.arange(count) == 0, 0.0, IMPOSSIBLE), (batch, count))


def _is_real(potentials: Tensor) -> Tensor:
    """Return the mask (batch, time): a masked step is the identity."""
    count = potentials.shape[-1]
    identity = ops.where(ops.eye(count, dtype="bool"), 0.0, IMPOSSIBLE)
    return ops.any(potentials != identity, axis=(2, 3))
