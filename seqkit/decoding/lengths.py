"""Three ways to model the length of a sequence (Deep Learning, 10.2.3).

After each token, a rule gives the log-probabilities of continuing and of stopping:

    log_probs(tokens (rows, k), state, t) -> (log p(continue), log p(stop))

both broadcast to (rows, k). `state` is the one returned by the step that proposed the tokens, `t`
counts steps from 0. `repeat(times)` is the rule for rows repeated `times` times, next to each
other; `take(rows)` is the rule for some of the rows.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from seqkit.typing import Nest, Tensor


class EndSymbol(NamedTuple):
    """An end symbol of the vocabulary, which counts as the last token of the sequence."""

    eos_id: int

    def log_probs(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        return _deterministic(ops.equal(tokens, self.eos_id))

    def repeat(self, times: int) -> "EndSymbol":
        return self

    def take(self, rows: Tensor) -> "EndSymbol":
        return self


class BernoulliStop(NamedTuple):
    """A Bernoulli variable per step: p(stop) = σ(logits(state)).

    `logits` is a function of the step's state to (rows,).
    """

    logits: Callable[[Nest], Tensor]

    def log_probs(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        logits = ops.reshape(ops.cast(self.logits(state), "float32"), (-1, 1))
        return ops.log_sigmoid(-logits), ops.log_sigmoid(logits)

    def repeat(self, times: int) -> "BernoulliStop":
        return self

    def take(self, rows: Tensor) -> "BernoulliStop":
        return self


class PredictedLength(NamedTuple):
    """A length predicted beforehand: lengths (batch,) ints; less than 1 counts as 1."""

    lengths: Tensor

    def log_probs(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        return _deterministic(ops.cast(self.lengths, "int32")[:, None] <= t + 1)

    def repeat(self, times: int) -> "PredictedLength":
        return PredictedLength(ops.repeat(self.lengths, times, axis=0))

    def take(self, rows: Tensor) -> "PredictedLength":
        return PredictedLength(ops.take(self.lengths, rows, axis=0))


Length = EndSymbol | BernoulliStop | PredictedLength


def _deterministic(stops: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of continuing and of stopping, 0 or -inf each."""
    never = -float("inf")
    return ops.where(stops, never, 0.0), ops.where(stops, 0.0, never)
