"""Three ways in which a chain may choose its length (Deep Learning, 10.2.3).

Each says, after a token was chosen, with what log-probability the chain goes on and with what it
ends there:

    after(tokens (rows, k), state, t) -> (log p(goes on), log p(ends))

both to broadcast to (rows, k). `state` is the one that the step which proposed the tokens
returned, `t` counts steps from 0. `tiled(times)` is the same for rows repeated `times` times, side
by side, `taken(rows)` for some of the rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqkit.typing import Nest, Tensor


class EndSymbol(NamedTuple):
    """The chain ends with a symbol of the vocabulary, which counts as its last token."""

    eos_id: int

    def after(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        return _certainly(ops.equal(tokens, self.eos_id))

    def tiled(self, times: int) -> "EndSymbol":
        return self

    def taken(self, rows: Tensor) -> "EndSymbol":
        return self


class BernoulliStop(NamedTuple):
    """At each step a coin says whether the chain ends there: p(ends) = sigmoid(logits(state)).

    `logits` is a function of the step's state to (rows,).
    """

    logits: Callable[[Any], Any]

    def after(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        logits = ops.reshape(ops.cast(self.logits(state), "float32"), (-1, 1))
        return ops.log_sigmoid(-logits), ops.log_sigmoid(logits)

    def tiled(self, times: int) -> "BernoulliStop":
        return self

    def taken(self, rows: Tensor) -> "BernoulliStop":
        return self


class PredictedLength(NamedTuple):
    """The model predicted the length beforehand: lengths (batch,) ints; at least 1 is taken."""

    lengths: Tensor

    def after(self, tokens: Tensor, state: Nest, t: Tensor) -> tuple[Tensor, Tensor]:
        return _certainly(ops.cast(self.lengths, "int32")[:, None] <= t + 1)

    def tiled(self, times: int) -> "PredictedLength":
        return PredictedLength(ops.repeat(self.lengths, times, axis=0))

    def taken(self, rows: Tensor) -> "PredictedLength":
        return PredictedLength(ops.take(self.lengths, rows, axis=0))


Length = EndSymbol | BernoulliStop | PredictedLength


def _certainly(ends: Tensor) -> tuple[Tensor, Tensor]:
    never = -float("inf")
    return ops.where(ends, never, 0.0), ops.where(ends, 0.0, never)
