"""Losses of a CRF, and the score of a sequence of tags."""

from typing import Any

import keras
from keras import ops

from seqkit.backend import custom_gradient, scan
from seqkit.crf.checks import check_possible, check_tags, check_weights, which_are_tags
from seqkit.crf.inference import (
    Chain,
    center,
    expected_edges,
    log_probability,
    log_softmax,
    select,
    select_rows,
)
from seqkit.crf.potentials import IMPOSSIBLE, check_potentials, in_tag_0, real_steps
from seqkit.operation import operation
from seqkit.ops import sum_leading, time_first
from seqkit.typing import Tensor


@operation
def crf_loss(tags: Tensor, potentials: Tensor) -> Tensor:
    """Compute the negative log-likelihood -log p(y | x) of each sequence; `CRFLoss` is the loss.

    In `compile`, use `CRFLoss()`. This function knows nothing of weights: Keras would multiply
    weights of tokens (batch, time) into its result (batch,), which is wrong.

    Args:
        tags: (batch, time) ints; the values at masked steps are not read.
        potentials: P (batch, time, tags, tags), as `CRF` returns it.

    Returns:
        (batch,) float32. In a graph, which can't raise an error, a tag out of range at a real step
        makes the loss NaN, and tags that the constraints forbid have a loss of about 1e9.

    Raises:
        ValueError: If the tags or potentials have another shape or dtype, or, outside of graphs, if
            a tag at a real step is out of range, or the constraints forbid the tags.
    """
    potentials = check_potentials(potentials, "crf_loss")
    path, is_valid = _path(tags, potentials, real_steps(potentials), "crf_loss")
    scores = select(select_rows(time_first(potentials), path), path[1:])
    check_possible(scores, path, "crf_loss")

    @custom_gradient
    def compute(potentials: Tensor) -> tuple:
        chain = Chain.of(potentials)
        log_p = log_probability(path, chain.p, chain.offsets, chain.after)
        return 0.0 - log_p, lambda gradient: _less_path(expected_edges(chain, gradient), path)

    return ops.where(is_valid, compute(potentials), float("nan"))


@operation
def path_score(tags: Tensor, potentials: Tensor) -> Tensor:
    """Compute sum_t P_t[y_{t-1}, y_t]: tags (batch, time) and P -> (batch,).

    It reads tags as `crf_loss` does, and raises the same errors, except for forbidden tags. Large
    scores are shifted in P: see `CRF`.
    """
    potentials = check_potentials(potentials, "path_score")
    path, is_valid = _path(tags, potentials, real_steps(potentials), "path_score")
    scores = select(select_rows(time_first(potentials), path), path[1:])
    return ops.where(is_valid, sum_leading(scores), float("nan"))


@keras.saving.register_keras_serializable(package="seqkit")
class CRFLoss(keras.losses.Loss):
    """The loss of models that end in a `CRF`, with weights for sequences or for tokens.

    Without weights, or with one for each sequence, it is -log p(y | x), as `crf_loss` computes it.
    With weights w (batch, time), the loss of a sequence is

        - sum_t w_t log p(y_t | y_s, x),    s = the last step before t with a weight that is not 0

    A weight of 0 means that the tag is unknown: it is not read, and all tags are summed over. So
    weights of 0 and 1 give the likelihood of the known tags. If no weight is 0, y_s is y_{t-1}, and
    each token's share of -log p(y | x) is multiplied by its weight.

    Unknown tags need the weight 0. A value such as -1 or -100 alone does not mark them: it is out
    of range, an error outside of graphs, and NaN in `fit`.

    Args:
        reduction: How the losses of the sequences become one number, as for any Keras loss.
        name: Name.

    Call arguments:
        y_true: Tags (batch, time), ints.
        y_pred: Potentials P (batch, time, tags, tags), as `CRF` returns it.
        sample_weight: None, (batch,) or (batch, time).

    Raises:
        ValueError: As `crf_loss`; also if the weights have another shape.

    Source:
        Unknown tags: Tsuboi et al. 2008.

    Example:
        >>> import numpy as np
        >>> from seqkit import CRF, CRFLoss
        >>> potentials = CRF(3)(np.zeros((2, 4, 3)))
        >>> tags = np.array([[0, 1, 2, 0], [2, -1, -1, 1]])
        >>> loss = CRFLoss()(tags, potentials, sample_weight=tags >= 0)
        >>> round(float(loss), 4)  # 3 tags are equally likely at each of 4 + 2 steps
        3.2958
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "crf_loss", **kwargs: Any
    ) -> None:
        super().__init__(name=name, reduction=reduction, **kwargs)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        if sample_weight is None:
            return super().__call__(y_true, y_pred)
        sample_weight = check_weights(sample_weight, y_pred)
        if len(sample_weight.shape) == 1:
            return super().__call__(y_true, y_pred, sample_weight)
        # Keras would multiply these into the loss of each sequence.
        return super().__call__({"tags": y_true, "weights": sample_weight}, y_pred)

    def call(self, y_true: Tensor | dict[str, Tensor], y_pred: Tensor) -> Tensor:
        if isinstance(y_true, dict):
            return _weighted_loss(y_true["tags"], y_pred, y_true["weights"])
        return crf_loss(y_true, y_pred)


def _weighted_loss(tags: Tensor, potentials: Tensor, weights: Tensor) -> Tensor:
    potentials = check_potentials(potentials, "CRFLoss")
    is_known = ops.logical_and(real_steps(potentials), weights != 0)
    path, is_valid = _path(tags, potentials, is_known, "CRFLoss")
    count = potentials.shape[-1]

    def step(state: tuple, now: tuple) -> tuple:
        """Carry log p(y_t | the tags known up to t), and log p of the tag at t."""
        before, _ = state
        p, offset, message, tag, is_known = now
        conditional = log_softmax(center(p, offset) + message[:, None, :])
        after = ops.logsumexp(before[:, :, None] + conditional, axis=1)
        tag_alone = ops.where(ops.arange(count) == tag[:, None], 0.0, IMPOSSIBLE)
        log_p = select(after, tag)
        after = after - ops.logsumexp(after, axis=1, keepdims=True)
        return (ops.where(is_known[:, None], tag_alone, after), log_p), log_p

    chain = Chain.of(potentials)
    initial = ops.where(in_tag_0(chain.p) > 0, 0.0, IMPOSSIBLE)
    steps = chain.p, chain.offsets, chain.after, path[1:], ops.transpose(is_known)
    _, log_p = scan(step, (initial, ops.zeros_like(initial[:, 0])), steps)
    check_possible(ops.where(ops.transpose(is_known), log_p, 0.0), path, "CRFLoss")
    log_p = ops.where(is_known, ops.transpose(log_p) * weights, 0.0)
    return ops.where(is_valid, 0.0 - sum_leading(ops.transpose(log_p)), float("nan"))


def _path(tags: Tensor, potentials: Tensor, real: Tensor, owner: str) -> tuple[Tensor, Tensor]:
    """Return the tag after each step (time + 1, batch), 0 before the first; and if all are valid.

    A step that is not real keeps the tag of the step before it.
    """
    tags = check_tags(tags, potentials, owner)
    is_tag = which_are_tags(tags, real, potentials.shape[-1], owner)
    is_valid = ops.logical_or(is_tag, ops.logical_not(real))
    tags = ops.where(is_tag, ops.cast(tags, "int32"), 0)
    time = ops.shape(tags)[1]
    t = ops.arange(time, dtype="int32")
    real_first = ops.argsort(ops.where(real, t, t + time), axis=1)
    number = ops.cumsum(ops.cast(real, "int32"), axis=1)  # of real steps up to t
    last = ops.take_along_axis(real_first, ops.maximum(number - 1, 0), axis=1)
    path = ops.where(number > 0, ops.take_along_axis(tags, last, axis=1), 0)
    path = ops.pad(ops.transpose(path), ((1, 0), (0, 0)))
    return path, ops.all(is_valid, axis=1)


def _less_path(edges: Tensor, path: Tensor) -> Tensor:
    """Subtract 1 from the probabilities (batch, time, tags, tags) at the edges of the path.

    The difference is the negative sum of all others, which is precise even if it is tiny.
    """
    batch, time, count, _ = ops.shape(edges)
    flat = ops.reshape(edges, (batch * time, count * count))
    edge = ops.reshape(ops.transpose(path[:-1] * count + path[1:]), (batch * time,))
    index = ops.stack([ops.arange(batch * time, dtype="int32"), edge], axis=1)
    others = ops.scatter_update(flat, index, ops.zeros((batch * time,)))
    difference = 0.0 - ops.sum(others, axis=1)
    return ops.reshape(ops.scatter_update(others, index, difference), ops.shape(edges))
