"""Sums over all tag sequences: log Z, marginals, and the conditional probabilities of tags.

Messages are normalized at each step. The backward message is

    b_{t-1}[i] = log sum_j exp(P_t[i, j] + b_t[j]) - shift_t,    b_T = 0,    max_i b_{t-1}[i] = 0

Given x, the tags are a Markov chain, whose transitions follow from it:

    p(y_t = j | y_{t-1} = i, x) = softmax_j(P_t[i, j] + b_t[j])

Log-probabilities of sequences are sums of the logarithms of these, marginals their products, and
the gradient of log Z is p(y_{t-1} = i, y_t = j | x). No result is a difference of sums over the
whole sequence, which float32 would round to their size.
"""

from typing import NamedTuple, Self

from keras import ops

from seqkit.backend import custom_gradient, scan
from seqkit.crf.potentials import IMPOSSIBLE, check_potentials, in_tag_0
from seqkit.operation import operation
from seqkit.ops import largest, sum_leading, time_first
from seqkit.typing import Tensor


@operation
def log_partition(potentials: Tensor) -> Tensor:
    """Compute log Z, (batch,). Large scores are shifted in P: see `CRF`.

    Args:
        potentials: P (batch, time, tags, tags), as `CRF` returns it.

    Raises:
        ValueError: If the potentials have another shape or are not floats.
    """

    @custom_gradient
    def compute(potentials: Tensor) -> tuple:
        chain = Chain.of(potentials)
        log_z = sum_leading(chain.shifts) + sum_leading(chain.offsets) + chain.first[:, 0]
        return log_z, lambda gradient: expected_edges(chain, gradient)

    return compute(check_potentials(potentials, "log_partition"))


@operation
def marginals(potentials: Tensor) -> Tensor:
    """Compute p(y_t = j | x), (batch, time, tags); a masked step repeats the step before it.

    Args:
        potentials: P (batch, time, tags, tags), as `CRF` returns it.

    Raises:
        ValueError: If the potentials have another shape or are not floats.
    """
    chain = Chain.of(check_potentials(potentials, "marginals"))
    return time_first(_chain_marginals(chain))


class Chain(NamedTuple):
    """The tags of each sequence as a Markov chain, time first."""

    p: Tensor  # potentials (time, batch, tags, tags)
    offsets: Tensor  # about the largest potential of each step (time, batch)
    first: Tensor  # backward message before the first step (batch, tags)
    after: Tensor  # backward message after each step (time, batch, tags)
    shifts: Tensor  # subtracted from the message before each step (time, batch)
    transitions: Tensor  # p(y_t = j | y_{t-1} = i, x), (time, batch, tags, tags)

    @classmethod
    def of(cls, potentials: Tensor) -> Self:
        """Compute the chain of potentials (batch, time, tags, tags)."""
        p, offsets = time_first(potentials), step_offsets(potentials)
        last = Message.last(potentials)

        def step(after: Message, now: tuple) -> tuple:
            message = after.step_back(center(*now))
            return message, message

        first, messages = scan(step, last, (p, offsets), reverse=True)
        return cls(p, offsets, first.b, after_each_step(messages.b, last.b), *messages[1:])


class Message(NamedTuple):
    """The backward message before a step, and how it was computed."""

    b: Tensor  # (batch, tags)
    shift: Tensor  # (batch,)
    transitions: Tensor  # (batch, tags, tags)

    @classmethod
    def last(cls, potentials: Tensor) -> Self:
        """Return the message after the last step of potentials (batch, time, tags, tags)."""
        batch, _, count, _ = ops.shape(potentials)
        return cls(*(ops.zeros((batch, *(count,) * rank)) for rank in (1, 0, 2)))

    def step_back(self, p: Tensor) -> Self:
        """Compute the message before a step from this one after it.

        Args:
            p: Centered potentials (batch, tags, tags) of the step.
        """
        x = p + self.b[:, None, :]
        best = ops.stop_gradient(largest(x, axis=2))
        odds = ops.exp(x - best[..., None])
        total = ops.sum(odds, axis=2)
        before = best + ops.log(total)
        # The shift has a gradient: it keeps the sum of the gradients of b at 0, which would drift.
        shift = largest(before, axis=1)
        return Message(before - shift[:, None], shift, odds * (1 / total)[..., None])


def after_each_step(b: Tensor, last: Tensor) -> Tensor:
    """Return the messages after each step, from those before each step and after the last one."""
    return ops.concatenate([b, last[None]], axis=0)[1:]


def step_offsets(potentials: Tensor) -> Tensor:
    """Return about the largest potential of each step (time, batch).

    Less their offset, potentials are added without rounding to the size of the scores.
    """
    best = largest(potentials[:, :, 0], axis=-1)
    best = ops.where(best < IMPOSSIBLE / 2, 0.0, best)  # nothing can follow tag 0
    return ops.stop_gradient(ops.transpose(best))


def log_probability(path: Tensor, p: Tensor, offsets: Tensor, after: Tensor) -> Tensor:
    """Compute log p(y | x), (batch,), of paths (time + 1, batch), which start in tag 0."""
    rows = select_rows(p, path) - offsets[..., None] + after
    return sum_leading(select(log_softmax(rows), path[1:]))


def center(p: Tensor, offset: Tensor) -> Tensor:
    """Subtract the offsets (batch,) from the potentials (batch, tags, tags) of a step."""
    return p - offset[:, None, None]


def expected_edges(chain: Chain, weight: Tensor) -> Tensor:
    """Compute p(y_{t-1} = i, y_t = j | x), times a weight (batch,): (batch, time, tags, tags)."""
    before = ops.concatenate([in_tag_0(chain.p)[None], _chain_marginals(chain)], axis=0)[:-1]
    return time_first(chain.transitions * (before * weight[:, None])[..., None])


def _chain_marginals(chain: Chain) -> Tensor:
    """Compute p(y_t = j | x), (time, batch, tags)."""

    def step(marginal: Tensor, transitions: Tensor) -> tuple:
        marginal = ops.sum(transitions * marginal[..., None], axis=1)
        marginal = marginal / ops.sum(marginal, axis=1, keepdims=True)  # without this it drifts
        return marginal, marginal

    return scan(step, in_tag_0(chain.p), chain.transitions)[1]


def log_softmax(x: Tensor) -> Tensor:
    """Compute log softmax(x) over the last axis, in which values near 0 are precise, too.

    It is x - max - log(1 + rest), where `rest` is the sum of exp(x - max) over all others. So are
    gradients near 0: that of the largest x is the negative sum of all others.
    """

    @custom_gradient
    def compute(x: Tensor) -> tuple:
        x = x - largest(x, axis=-1, keepdims=True)
        is_best = x == 0
        rest = ops.sum(ops.where(is_best, 0.0, ops.exp(x)), axis=-1, keepdims=True)
        ties = ops.sum(ops.cast(is_best, x.dtype), axis=-1, keepdims=True) - 1
        log_p = x - ops.log1p(rest + ties)

        def backward(gradient: Tensor) -> Tensor:
            each = gradient - ops.exp(log_p) * ops.sum(gradient, axis=-1, keepdims=True)
            others = ops.sum(ops.where(is_best, 0.0, each), axis=-1, keepdims=True)
            return ops.where(ops.logical_and(is_best, ties == 0), 0.0 - others, each)

        return log_p, backward

    return compute(x)


def select_rows(p: Tensor, path: Tensor) -> Tensor:
    """Select the row of the tag before each step: (time, batch, tags, tags) -> (..., tags)."""
    time, batch, count, _ = ops.shape(p)
    rows = ops.reshape(p, (time * batch * count, count))
    tags = ops.reshape(path[:-1], (time * batch,))
    selected = ops.take(rows, ops.arange(time * batch, dtype="int32") * count + tags, axis=0)
    return ops.reshape(selected, (time, batch, count))


def select(x: Tensor, tags: Tensor) -> Tensor:
    """Select the value of each tag from the last axis."""
    return ops.squeeze(ops.take_along_axis(x, tags[..., None], axis=-1), axis=-1)
