"""One sequence per row: the most probable token at each step, or one drawn at random."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from keras import ops

from seqkit.checks import invalid, positive
from seqkit.decoding import rows
from seqkit.decoding.checks import check_log_probs, checked, likelihoods
from seqkit.decoding.lengths import Length
from seqkit.decoding.sampling import draw, top_k_filter, top_p_filter, uniform
from seqkit.typing import Nest, Seed, Tensor

Step = Callable[[Tensor, Nest, Nest], tuple[Tensor, Nest]]


class Decoded(NamedTuple):
    """Decoded sequences; from `beam_search` with an axis (num_results,) after the batch."""

    tokens: Tensor  # (batch, max_length) int32, pad_id after the last token
    lengths: Tensor  # (batch,) int32, including an end symbol
    log_likelihoods: Tensor  # (batch,) float32, log p of the tokens and the length
    scores: Tensor  # (batch,) float32, for ranking; without penalties the log-likelihoods
    ended: Tensor  # (batch,) bool; False: cut at max_length
    attention: Tensor | None  # (batch, max_length, source) float32, zeros after the last token

    def map(self, function: Callable[[Tensor], Tensor]) -> "Decoded":
        """Apply a function to every tensor."""
        return Decoded(*(None if part is None else function(part) for part in self))

    def best(self) -> "Decoded":
        """Return the best result of a beam search, without the axis (num_results,)."""
        return self.map(lambda part: part[:, 0])


def greedy(
    step: Step,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    length: Length,
    max_length: int,
    pad_id: int = 0,
    attention: Callable[[Nest], Tensor] | None = None,
    drop_ended: bool = False,
) -> Decoded:
    """Choose the most probable token at each step.

        y_t = argmax_y p(y | y_1 ... y_{t-1})

    Args:
        step: `step(tokens (rows,) int32, state, constants) -> (log_probs (rows, vocabulary),
            state)`, pure.
        state: Before the first step, a nest of tensors with one row per sequence.
        constants: A nest of tensors, or None, that each step reads and none writes.
        bos_id: First input token.
        length: Length model: `EndSymbol(eos_id)`, `BernoulliStop(logits)` (stops where that is at
            least as likely as continuing) or `PredictedLength(lengths)`.
        max_length: Length at which sequences are cut.
        pad_id: Token after the end of a sequence.
        attention: `attention(state)` returns the weights (rows, source) of the step that returned
            the state.
        drop_ended: Whenever at most seven eighths of the rows are left, continue with those
            alone: the same result, sooner if lengths differ. Shapes then change from step to step,
            so that in a graph the batch size must be open (None); XLA and JAX do not support it.

    Returns:
        `Decoded`. Decoding stops when all sequences have ended. In a graph,
        where `step` can't raise its error, a log-likelihood is NaN if the log-probability of one of
        its steps is positive.

    Raises:
        ValueError: If an argument is invalid, a step changes the structure or the dtypes of the
            state, or its probabilities sum to more than 1 (TensorFlow's eager mode alone sees it).

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import EndSymbol, greedy
        >>> table = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]], "float32"))
        >>> step = lambda tokens, state, constants: (ops.take(table, tokens, axis=0), state)
        >>> found = greedy(step, np.zeros((1, 1)), bos_id=0, length=EndSymbol(2), max_length=4)
        >>> np.asarray(found.tokens).tolist(), np.asarray(found.lengths).tolist()
        ([[1, 2, 0, 0]], [2])
    """
    state, constants = checked("greedy", step, state, constants, bos_id=bos_id, length=length)

    def choose(t: Tensor, log_p: Tensor) -> Tensor:
        return ops.cast(ops.argmax(log_p, axis=-1), "int32")

    def stops(t: Tensor, log_proceed: Tensor, log_stop: Tensor) -> Tensor:
        return log_stop >= log_proceed

    return _Generation(
        step=step,
        constants=constants,
        choose=choose,
        stops=stops,
        bos_id=bos_id,
        length=length,
        max_length=positive("max_length", max_length, "greedy"),
        pad_id=pad_id,
        attention=attention,
        drop_ended=drop_ended,
    ).run(state)


def sample(
    step: Step,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    length: Length,
    max_length: int,
    seed: Seed,
    temperature: Tensor = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    pad_id: int = 0,
    attention: Callable[[Nest], Tensor] | None = None,
) -> Decoded:
    """Draw a token at each step.

        y_t ~ p(y | y_1 ... y_{t-1})^(1 / temperature), restricted by top_k, then top_p

    Args:
        step: As for `greedy`, and so are all arguments not described here.
        state: As for `greedy`.
        constants: As for `greedy`.
        bos_id: As for `greedy`.
        length: As for `greedy`. Stopping is drawn at temperature 1, except for an end symbol.
        max_length: As for `greedy`.
        seed: An int, a `keras.random.SeedGenerator`, or a tensor of two ints.
        temperature: A number or scalar tensor > 0; towards 0, sampling approaches `greedy`.
        top_k: Draw from the k most probable tokens.
        top_p: Draw from the nucleus of mass p.
        pad_id: As for `greedy`.
        attention: As for `greedy`.

    Returns:
        `Decoded`; its log-likelihoods are those of the model, without temperature and filters.

    Raises:
        ValueError: As for `greedy`, and if temperature, top_k or top_p is out of range.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import PredictedLength, sample
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
        >>> lengths = PredictedLength(np.array([3, 1]))
        >>> found = sample(step, np.zeros((2, 1)), bos_id=0, length=lengths, max_length=4, seed=1)
        >>> np.asarray(found.lengths).tolist()
        [3, 1]
    """
    if isinstance(temperature, numbers.Real) and not temperature > 0:
        raise invalid("sample", f"temperature is {temperature}; it must be positive, or use greedy")
    state, constants = checked("sample", step, state, constants, bos_id=bos_id, length=length)
    max_length = positive("max_length", max_length, "sample")
    uniforms = uniform((max_length, rows.count(state, constants), 2), seed)

    def choose(t: Tensor, log_p: Tensor) -> Tensor:
        log_p = log_p / temperature
        if top_k is not None:
            log_p = top_k_filter(log_p, top_k)
        if top_p is not None:
            log_p = top_p_filter(log_p, top_p)
        return draw(log_p, uniforms[t][:, 0])

    def stops(t: Tensor, log_proceed: Tensor, log_stop: Tensor) -> Tensor:
        return uniforms[t][:, 1] < ops.exp(log_stop)

    return _Generation(
        step=step,
        constants=constants,
        choose=choose,
        stops=stops,
        bos_id=bos_id,
        length=length,
        max_length=max_length,
        pad_id=pad_id,
        attention=attention,
    ).run(state)


class Active(NamedTuple):
    """The sequences that are being extended."""

    tokens: Tensor  # (rows,) int32, the last of each
    ended: Tensor  # (rows,) bool
    state: Nest  # (rows, ...)
    # With drop_ended; None: the rows are those of the whole batch.
    constants: list | None  # leaves of the constants (rows, ...)
    index: Tensor | None  # (rows,) int32, the row of the whole batch


class Record(NamedTuple):
    """What each step added to the sequences of the whole batch."""

    tokens: Tensor  # (max_length, batch) int32, pad_id after the last token
    log_p: Tensor  # (max_length, batch) float32, of token and length, 0 after the last token
    live: Tensor  # (max_length, batch) bool, whether there is a token
    stops: Tensor  # (max_length, batch) bool, whether it is the last
    attention: Tensor | None  # (max_length, batch, source) float32, 0 after the last token


@dataclass(frozen=True)
class _Generation:
    """A loop that extends each sequence by the chosen token until it stops."""

    step: Step
    constants: Nest
    choose: Callable[[Tensor, Tensor], Tensor]  # (t, log_p (rows, vocabulary)) -> (rows,)
    stops: Callable[[Tensor, Tensor, Tensor], Tensor]  # (t, log_proceed, log_stop) -> (rows,) bool
    bos_id: int
    length: Length
    max_length: int
    pad_id: int
    attention: Callable[[Nest], Tensor] | None
    drop_ended: bool = False

    def run(self, state: Nest) -> Decoded:
        _, _, record = rows.while_loop(self.can_continue, self.one_step, self.start(state))
        log_likelihoods = likelihoods(record.log_p)
        attention = record.attention
        return Decoded(
            tokens=ops.transpose(record.tokens),
            lengths=ops.sum(ops.cast(record.live, "int32"), axis=0),
            log_likelihoods=log_likelihoods,
            scores=log_likelihoods,
            ended=ops.any(record.stops, axis=0),
            attention=None if attention is None else ops.transpose(attention, (1, 0, 2)),
        )

    def start(self, state: Nest) -> tuple[Tensor, Active, Record]:
        batch = rows.count(state, self.constants)
        shape = (self.max_length, batch)
        weights = None
        if self.attention is not None:
            weights = ops.zeros((self.max_length, *ops.shape(self.attention(state))), "float32")
        active = Active(
            tokens=ops.full((batch,), self.bos_id, "int32"),
            ended=ops.zeros((batch,), "bool"),
            state=state,
            constants=rows.leaves(self.constants) if self.drop_ended else None,
            index=ops.arange(batch, dtype="int32") if self.drop_ended else None,
        )
        record = Record(
            tokens=ops.full(shape, self.pad_id, "int32"),
            log_p=ops.zeros(shape, "float32"),
            live=ops.zeros(shape, "bool"),
            stops=ops.zeros(shape, "bool"),
            attention=weights,
        )
        return ops.convert_to_tensor(0, "int32"), active, record

    def can_continue(self, t: Tensor, active: Active, record: Record) -> Tensor:
        return ops.logical_and(t < self.max_length, ops.logical_not(ops.all(active.ended)))

    def one_step(self, t: Tensor, active: Active, record: Record) -> tuple[Tensor, Active, Record]:
        constants, length = self.constants, self.length
        if self.drop_ended:
            active = rows.take_if(*rows.few(ops.logical_not(active.ended)), active)
            constants = rows.with_leaves(constants, active.constants)
            length = length.take(active.index)
        log_p, state = self.step(active.tokens, active.state, constants)
        state = rows.check_same(active.state, state)
        log_p = check_log_probs(log_p, active.tokens, length)  # (rows, vocabulary)
        tokens = self.choose(t, log_p)
        log_proceed, log_stop = (v[:, 0] for v in length.log_probs(tokens[:, None], state, t))
        stops = self.stops(t, log_proceed, log_stop)
        gain = ops.take_along_axis(log_p, tokens[:, None], axis=1)[:, 0]
        gain = gain + ops.where(stops, log_stop, log_proceed)
        live = ops.logical_not(active.ended)
        weights = None
        if self.attention is not None:
            weights = ops.where(live[:, None], ops.cast(self.attention(state), "float32"), 0.0)
        new = Record(
            tokens=ops.where(live, tokens, self.pad_id),
            log_p=ops.where(live, gain, 0.0),
            live=live,
            stops=ops.logical_and(live, stops),
            attention=weights,
        )
        ended = ops.logical_or(active.ended, stops)
        active = active._replace(tokens=tokens, ended=ended, state=state)
        return t + 1, active, rows.write_step(record, t, new, active.index)
