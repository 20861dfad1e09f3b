"""Beam search: the best hypotheses among those in the beam (Deep Learning, 10.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from keras import ops

from seqkit.backend import scan
from seqkit.checks import check_shape, invalid, positive
from seqkit.decoding import rows
from seqkit.decoding.checks import (
    POSITIVE,
    TOLERANCE,
    check_log_probs,
    checked,
    positive_to_nan,
)
from seqkit.decoding.generate import Decoded, Step
from seqkit.decoding.lengths import Length
from seqkit.decoding.penalties import ban_repeats, coverage_penalty
from seqkit.decoding.top import top_k
from seqkit.ops import compensated_add, where_rows
from seqkit.typing import Mask, Nest, Tensor

NEVER = -float("inf")
Carry: TypeAlias = "tuple[Tensor, Beams, Trace, Finished, Cut]"  # of the loop; first, the step


def beam_search(
    step: Step,
    state: Nest,
    constants: Nest = None,
    *,
    num_beams: int,
    bos_id: int,
    length: Length,
    max_length: int,
    num_results: int = 1,
    pad_id: int = 0,
    length_penalty: Callable[[Tensor], Tensor] | None = None,
    coverage_weight: float = 0.0,
    source_mask: Mask = None,
    no_repeat_ngram: int = 0,
    prefix: Tensor | None = None,
    length_limits: Tensor | None = None,
    repeat_constants: bool = True,
    attention: Callable[[Nest], Tensor] | None = None,
    drop_ended: bool = False,
) -> Decoded:
    """Find the hypotheses with the best scores, extending the num_beams likeliest at each step.

        score(y) = log p(y) / lp(|y|) + beta sum_i log(min(sum_t a_ti, 1))

    State and constants are repeated for the beams here: pass them as for `greedy`. Hypotheses that
    have ended are kept apart from the live ones and no longer change. An end counts only if it is
    among the num_beams likeliest continuations of a step, so that one beam is `greedy`.

    Args:
        step: `step(tokens (rows,) int32, state, constants) -> (log_probs (rows, vocabulary),
            state)`, pure; rows = batch * num_beams. No log-probability may be positive.
        state: Before the first step, a nest of tensors with one row per sequence.
        constants: A nest of tensors, or None, that each step reads and none writes.
        num_beams: Number of live hypotheses per sequence, > 0.
        bos_id: First input token.
        length: Length model, as for `greedy`.
        max_length: Length at which hypotheses are cut.
        num_results: Number of hypotheses returned, at most num_beams; with more results, the
            search stops later.
        pad_id: Token after the end of a hypothesis.
        length_penalty: lp, a function of lengths (float32), positive and non-decreasing:
            `wu_penalty(alpha)`, `per_token`; None: 1.
        coverage_weight: beta >= 0; requires `attention`.
        source_mask: (batch, source) bool, True = real: the positions that coverage counts.
        no_repeat_ngram: No n-gram of this length occurs twice in a hypothesis; 0: no restriction.
        prefix: (batch, prefix time) int32, the first tokens of every hypothesis, then pad_id. Its
            log-probability counts.
        length_limits: (batch,) ints from 1 to max_length, the length at which the hypotheses of
            each sequence are cut; the lower, the sooner its search stops. None: max_length.
        repeat_constants: False: the step gets constants with one row per sequence, each for
            num_beams rows of tokens and state next to each other. An `AttentionCell` is faster
            with these.
        attention: `attention(state)` returns the weights (rows, source) of the step that returned
            the state.
        drop_ended: As for `greedy`, whenever at most seven eighths of the sequences can still
            improve.

    Returns:
        `Decoded` with shapes (batch, num_results, ...), best first. Hypotheses that were cut come
        after all that ended. Missing results have score -inf and length 0. In a graph,
        where `step` can't raise its error, the log-likelihood and the score of a hypothesis are NaN
        if the log-probability of one of its tokens is positive.

    Raises:
        ValueError: As for `greedy`, if a number is out of range, or for coverage without attention.

    Source:
        Wu et al. 2016, 7.

    Deviations:
        Penalties rank the ended hypotheses, not the live ones; there is no pruning by a margin.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import EndSymbol, beam_search, wu_penalty
        >>> table = np.log(np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2]], "float32"))
        >>> step = lambda tokens, state, constants: (ops.take(table, tokens, axis=0), state)
        >>> found = beam_search(
        ...     step, np.zeros((1, 1)), num_beams=3, num_results=2, bos_id=0, length=EndSymbol(2),
        ...     max_length=4, length_penalty=wu_penalty(0.6))
        >>> np.asarray(found.tokens[0]).tolist()
        [[2, 0, 0, 0], [1, 2, 0, 0]]
    """
    num_beams = positive("num_beams", num_beams, "beam_search")
    max_length = positive("max_length", max_length, "beam_search")
    if not 1 <= num_results <= num_beams:
        raise _invalid(
            f"num_results is {num_results} of {num_beams} beams; it must be from 1 to num_beams"
        )
    if coverage_weight < 0 or no_repeat_ngram < 0:
        raise _invalid(
            f"coverage_weight is {coverage_weight}, no_repeat_ngram {no_repeat_ngram}; neither "
            "may be negative"
        )
    if coverage_weight and attention is None:
        raise _invalid("coverage_weight needs attention=, a function of the state to weights")
    if prefix is not None and len(prefix.shape) != 2:
        raise _invalid(f"the shape of prefix is {tuple(prefix.shape)}; it must be (batch, time)")
    if source_mask is not None and len(source_mask.shape) != 2:
        shape = tuple(source_mask.shape)
        raise _invalid(f"the shape of source_mask is {shape}; it must be (batch, source)")
    state, constants = checked("beam_search", step, state, constants, bos_id=bos_id, length=length)
    batch = rows.count(state, constants)
    search = _Search(
        step=step,
        constants=rows.repeat(constants, num_beams) if repeat_constants else constants,
        repeat_constants=repeat_constants,
        length=length.repeat(num_beams),
        source_mask=rows.repeat(source_mask, num_beams),
        forced=None if prefix is None else _forced(prefix, num_beams, max_length, pad_id),
        num_beams=num_beams,
        num_results=num_results,
        bos_id=bos_id,
        pad_id=pad_id,
        max_length=max_length,
        limits=_limits(length_limits, max_length, batch),
        length_penalty=length_penalty,
        coverage_weight=coverage_weight,
        no_repeat_ngram=no_repeat_ngram,
        attention=attention,
        drop_ended=drop_ended,
    )
    start = search.start(batch, rows.repeat(state, num_beams))
    return search.results(*rows.while_loop(search.can_continue, search.one_step, start))


class Beams(NamedTuple):
    """The live hypotheses of the active sequences; the likeliest beam of each comes first."""

    tokens: Tensor  # (rows,) int32, the last of each; rows = active * num_beams
    log_p: Tensor  # (rows,) float32
    error: Tensor  # (rows,) float32, what rounding has added to log_p
    state: Nest  # (rows, ...)
    # Two tensors (rows, source) float32: attention summed over the steps, and its rounding error.
    coverage: tuple[Tensor, Tensor] | None
    history: Tensor | None  # (rows, max_length) int32, all tokens so far
    # With drop_ended; None: the rows are those of the whole batch.
    constants: list | None  # leaves of the constants (rows, ...) or (active, ...)
    index: Tensor | None  # (rows,) int32, the row of the whole batch


class Trace(NamedTuple):
    """The live hypotheses after each step, from which the results are traced back."""

    tokens: Tensor  # (max_length, batch, num_beams) int32
    parents: Tensor  # (max_length, batch, num_beams) int32, the beam that was extended
    attention: Tensor | None  # (max_length, batch * num_beams, source), before beams are reordered


class Finished(NamedTuple):
    """The best ended hypotheses, best first; the score of a missing one is -inf."""

    scores: Tensor  # (batch, n) float32
    log_p: Tensor  # (batch, n) float32
    lengths: Tensor  # (batch, n) int32
    parents: Tensor  # (batch, n) int32, the beam before the last token
    tokens: Tensor  # (batch, n) int32, the last token


class Cut(NamedTuple):
    """The beams of each sequence when it reached its limit; -inf: it has not."""

    log_p: Tensor  # (batch, num_beams) float32
    penalty: Tensor  # (batch, num_beams) float32, that of coverage


class Candidates(NamedTuple):
    """The likeliest next tokens of each sequence, the same number for each of its beams."""

    tokens: Tensor  # (active, candidates) int32
    log_proceed: Tensor  # (active, candidates) float32, log p of a live hypothesis
    error: Tensor  # (active, candidates) float32, what rounding has added to it
    log_stop: Tensor  # (active, candidates) float32, log p of an ended one


@dataclass(frozen=True)
class _Search:
    """A beam search; tensors have one row per beam of the whole batch."""

    step: Step
    constants: Nest
    repeat_constants: bool
    length: Length
    source_mask: Mask
    forced: Tensor | None  # (max_length + 1, rows) int32
    num_beams: int
    num_results: int
    bos_id: int
    pad_id: int
    max_length: int
    limits: Tensor  # (batch,) int32
    length_penalty: Callable[[Tensor], Tensor] | None
    coverage_weight: float
    no_repeat_ngram: int
    attention: Callable[[Nest], Tensor] | None
    drop_ended: bool

    def start(self, batch: int | Tensor, state: Nest) -> Carry:
        K, count = self.num_beams, batch * self.num_beams
        steps = (self.max_length, batch, K)
        weights = None if self.attention is None else ops.shape(self.attention(state))
        is_first = ops.arange(K) == 0  # all beams start out equal, so only one of them counts
        log_p = ops.cast(ops.where(is_first, 0.0, NEVER), "float32")
        beams = Beams(
            tokens=ops.full((count,), self.bos_id, "int32"),
            log_p=ops.reshape(ops.broadcast_to(log_p, (batch, K)), (-1,)),
            error=ops.zeros((count,), "float32"),
            state=state,
            coverage=(ops.zeros(weights, "float32"),) * 2 if self.coverage_weight else None,
            history=ops.zeros((count, self.max_length), "int32") if self.no_repeat_ngram else None,
            constants=rows.leaves(self.constants) if self.drop_ended else None,
            index=ops.arange(count, dtype="int32") if self.drop_ended else None,
        )
        trace = Trace(
            tokens=ops.full(steps, self.pad_id, "int32"),
            parents=ops.zeros(steps, "int32"),
            attention=None if weights is None else ops.zeros((steps[0], *weights), "float32"),
        )
        finished = _missing(batch, self.num_results)
        cut = Cut(ops.full((batch, K), NEVER, "float32"), ops.zeros((batch, K), "float32"))
        return ops.convert_to_tensor(0, "int32"), beams, trace, finished, cut

    def can_continue(
        self, t: Tensor, beams: Beams, trace: Trace, finished: Finished, cut: Cut
    ) -> Tensor:
        return ops.any(self.can_improve(t, beams, finished))

    def one_step(
        self, t: Tensor, beams: Beams, trace: Trace, finished: Finished, cut: Cut
    ) -> Carry:
        beams = self.keep_active(t, beams, finished)
        beams, log_p, weights = self.run_step(beams)
        candidates = self.propose(t, beams, log_p)
        finished = self.finish(t, beams, candidates, finished)
        beams, trace = self.advance(t, beams, candidates, weights, trace)
        return t + 1, beams, trace, finished, self.cut(t, beams, cut)

    def can_improve(self, t: Tensor, beams: Beams, finished: Finished) -> Tensor:
        """Return whether a live hypothesis of each active sequence can still become a result.

        Its log p is at most 0 and only falls, and lp only rises: wherever it ends, log p / lp <=
        current log p / lp(limit); the coverage penalty is at most 0. Ties go to the earlier.
        """
        sequences = self._sequences(beams)
        worst, limits = rows.take((finished.scores[:, -1], self.limits), sequences)
        bound = self._by_sequence(beams.log_p)[:, 0] / self._lp(limits)
        return ops.logical_and(t < limits, worst < bound)

    def keep_active(self, t: Tensor, beams: Beams, finished: Finished) -> Beams:
        """With drop_ended, keep only sequences that can improve once they are few enough."""
        if not self.drop_ended:
            return beams
        few, sequences = rows.few(self.can_improve(t, beams, finished))
        kept = sequences[:, None] * self.num_beams + ops.arange(self.num_beams)
        kept = ops.reshape(kept, (-1,))
        constants = rows.take_if(few, kept if self.repeat_constants else sequences, beams.constants)
        beams = rows.take_if(few, kept, beams._replace(constants=None))
        return beams._replace(constants=constants)

    def run_step(self, beams: Beams) -> tuple[Beams, Tensor, Tensor | None]:
        """Return the beams with their new state, log p of the next tokens, and the attention."""
        constants = self.constants
        if beams.constants is not None:
            constants = rows.with_leaves(constants, beams.constants)
        log_p, state = self.step(beams.tokens, beams.state, constants)
        beams = beams._replace(state=rows.check_same(beams.state, state))
        weights = None
        if self.attention is not None:
            weights = ops.cast(self.attention(state), "float32")
        if beams.coverage is not None:
            beams = beams._replace(coverage=compensated_add(*beams.coverage, weights))
        return beams, check_log_probs(log_p, beams.tokens, self.length), weights

    def propose(self, t: Tensor, beams: Beams, log_p: Tensor) -> Candidates:
        """Select the likeliest next tokens of each beam from log_p (rows, vocabulary)."""
        # K + 1 candidates per beam: K remain if one of them is the end symbol.
        count = min(self.num_beams + 1, log_p.shape[-1])
        allowed = log_p
        if beams.history is not None:
            allowed = ban_repeats(log_p, beams.history, t, self.no_repeat_ngram)
        token_log_p, tokens = top_k(allowed, count)  # (rows, count)
        if self.forced is not None:
            forced, next_forced = (rows.take(self.forced[k], beams.index) for k in (t, t + 1))
            token_log_p, tokens = _force(forced, token_log_p, tokens, log_p, self.pad_id)
        token_log_p = ops.where(token_log_p > TOLERANCE, POSITIVE, token_log_p)
        length = self.length if beams.index is None else self.length.take(beams.index)
        log_proceed, log_stop = length.log_probs(tokens, beams.state, t)
        if self.forced is not None:  # no hypothesis ends inside the prefix
            log_stop = ops.where((next_forced != self.pad_id)[:, None], NEVER, log_stop)
        before, error = beams.log_p[:, None], beams.error[:, None]
        log_stop = before + (token_log_p + log_stop - error)
        log_proceed, error = compensated_add(before, error, token_log_p + log_proceed)
        all_beams = (-1, self.num_beams * count)  # (active, K count)
        flat = (tokens, log_proceed, error, log_stop)
        return Candidates(*(ops.reshape(values, all_beams) for values in flat))

    def finish(
        self, t: Tensor, beams: Beams, candidates: Candidates, finished: Finished
    ) -> Finished:
        """Add the hypotheses that end among the K likeliest candidates."""
        both = ops.concatenate([candidates.log_proceed, candidates.log_stop], axis=1)
        log_p, chosen = top_k(both, self.num_beams)  # (active, K)
        count = candidates.tokens.shape[1]
        sequences = self._sequences(beams)
        is_end = ops.logical_and(chosen >= count, t < rows.take(self.limits, sequences)[:, None])
        chosen = chosen % count
        parents = chosen // (count // self.num_beams)
        scores = log_p / self._lp(t + 1) + _pick(self._coverage_penalty(beams), parents)
        ended = Finished(
            scores=ops.where(is_end, scores, NEVER),
            log_p=log_p,
            lengths=ops.ones_like(chosen) * (t + 1),
            parents=parents,
            tokens=_pick(candidates.tokens, chosen),
        )
        best = _best(rows.take(finished, sequences), ended, self.num_results)
        return rows.write_rows(finished, sequences, best)

    def advance(
        self, t: Tensor, beams: Beams, candidates: Candidates, weights: Tensor | None, trace: Trace
    ) -> tuple[Beams, Trace]:
        """Replace the beams by the K likeliest candidates that do not end."""
        log_p, chosen = top_k(candidates.log_proceed, self.num_beams)  # (active, K)
        parents = chosen // (candidates.tokens.shape[1] // self.num_beams)
        tokens = _pick(candidates.tokens, chosen)
        sequences = self._sequences(beams)
        trace = Trace(
            tokens=rows.write_step(trace.tokens, t, tokens, sequences),
            parents=rows.write_step(trace.parents, t, parents, sequences),
            attention=rows.write_step(trace.attention, t, weights, beams.index),
        )
        first_row = ops.arange(ops.shape(parents)[0])[:, None] * self.num_beams
        state, coverage, history = rows.take(
            (beams.state, beams.coverage, beams.history), ops.reshape(first_row + parents, (-1,))
        )
        tokens = ops.reshape(tokens, (-1,))
        if history is not None:
            history = ops.where(ops.arange(self.max_length) == t, tokens[:, None], history)
        beams = beams._replace(
            tokens=tokens,
            log_p=ops.reshape(log_p, (-1,)),
            error=ops.reshape(_pick(candidates.error, chosen), (-1,)),
            state=state,
            coverage=coverage,
            history=history,
        )
        return beams, trace

    def cut(self, t: Tensor, beams: Beams, cut: Cut) -> Cut:
        """Keep the beams of the sequences that have reached their limit."""
        sequences = self._sequences(beams)
        at_limit = rows.take(self.limits, sequences) == t + 1
        now = Cut(self._by_sequence(beams.log_p), self._coverage_penalty(beams))
        return rows.write_rows(cut, sequences, where_rows(at_limit, now, rows.take(cut, sequences)))

    def results(
        self, t: Tensor, beams: Beams, trace: Trace, finished: Finished, cut: Cut
    ) -> Decoded:
        """Trace back the best hypotheses: those that ended, then those that were cut."""
        batch = ops.shape(trace.tokens)[1]
        limits = self.limits[:, None]
        parents, tokens = (
            ops.take_along_axis(steps, limits[None] - 1, axis=0)[0]
            for steps in (trace.parents, trace.tokens)
        )
        cut = Finished(
            scores=cut.log_p / self._lp(limits) + cut.penalty,
            log_p=cut.log_p,
            lengths=ops.broadcast_to(limits, (batch, self.num_beams)),
            parents=parents,
            tokens=tokens,
        )
        cut = _best(_missing(batch, self.num_results), cut, self.num_results)
        found, ended = _append(finished, cut)
        tokens, beam = _trace_back(trace, found, self.pad_id)
        log_likelihoods, scores = positive_to_nan(found.log_p, found.scores)
        return Decoded(
            tokens=ops.transpose(tokens, (1, 2, 0)),
            lengths=found.lengths,
            log_likelihoods=log_likelihoods,
            scores=scores,
            ended=ended,
            attention=None if trace.attention is None else _weights(trace, beam, found.lengths),
        )

    def _by_sequence(self, values: Tensor) -> Tensor:
        """Reshape (rows,) -> (active, num_beams)."""
        return ops.reshape(values, (-1, self.num_beams))

    def _sequences(self, beams: Beams) -> Tensor | None:
        """Return which sequences of the batch are active (active,) int32; None: all."""
        if beams.index is None:
            return None
        return self._by_sequence(beams.index)[:, 0] // self.num_beams

    def _lp(self, lengths: Tensor) -> Tensor:
        lengths = ops.cast(lengths, "float32")
        return 1.0 if self.length_penalty is None else self.length_penalty(lengths)

    def _coverage_penalty(self, beams: Beams) -> Tensor:
        """Return beta times the coverage penalty of each beam, (active, num_beams)."""
        if beams.coverage is None:
            return self._by_sequence(ops.zeros_like(beams.log_p))
        mask = rows.take(self.source_mask, beams.index)
        return self.coverage_weight * self._by_sequence(coverage_penalty(beams.coverage[0], mask))


def _invalid(message: str) -> ValueError:
    return invalid("beam_search", message)


def _limits(limits: Tensor | None, max_length: int, batch: int | Tensor) -> Tensor:
    """Return the length at which the hypotheses of each sequence are cut, (batch,) int32."""
    if limits is None:
        return ops.full((batch,), max_length, "int32")
    check_shape(
        "length_limits", limits, {"batch": batch if isinstance(batch, int) else None}, "beam_search"
    )
    return ops.clip(ops.cast(limits, "int32"), 1, max_length)


def _forced(prefix: Tensor, num_beams: int, max_length: int, pad_id: int) -> Tensor:
    """Return the forced token of each step (max_length + 1, rows), pad_id where it is free."""
    prefix = ops.cast(rows.repeat(prefix, num_beams), "int32")[:, :max_length]
    missing = max_length + 1 - prefix.shape[1]
    return ops.transpose(ops.pad(prefix, ((0, 0), (0, missing)), constant_values=pad_id))


def _force(
    forced: Tensor, token_log_p: Tensor, tokens: Tensor, log_p: Tensor, pad_id: int
) -> tuple[Tensor, Tensor]:
    """Make the forced token, if there is one, the only candidate of its row."""
    forced = forced[:, None]
    is_forced = forced != pad_id
    forced_log_p = ops.take_along_axis(log_p, ops.where(is_forced, forced, 0), axis=1)
    forced_log_p = ops.where(ops.arange(token_log_p.shape[1]) == 0, forced_log_p, NEVER)
    return ops.where(is_forced, forced_log_p, token_log_p), ops.where(is_forced, forced, tokens)


def _missing(batch: int | Tensor, n: int) -> Finished:
    """Return n missing hypotheses per sequence."""
    log_p, zeros = ops.full((batch, n), NEVER, "float32"), ops.zeros((batch, n), "int32")
    return Finished(log_p, log_p, zeros, zeros, zeros)


def _best(old: Finished, new: Finished, n: int) -> Finished:
    """Return the n with the best scores, old before new if tied."""
    both = Finished(*(ops.concatenate(pair, axis=1) for pair in zip(old, new, strict=True)))
    scores, best = top_k(both.scores, n)
    return Finished(scores, *(_pick(values, best) for values in both[1:]))


def _append(ended: Finished, cut: Finished) -> tuple[Finished, Tensor]:
    """Fill missing ended hypotheses with cut ones; also return which ones ended."""
    is_ended = ended.scores > NEVER
    n = is_ended.shape[1]
    count = ops.sum(ops.cast(is_ended, "int32"), axis=1, keepdims=True)
    next_cut = ops.maximum(ops.arange(n) - count, 0)
    found = Finished(
        *(ops.where(is_ended, a, _pick(b, next_cut)) for a, b in zip(ended, cut, strict=True))
    )
    missing = found.scores == NEVER
    return found._replace(
        lengths=ops.where(missing, 0, found.lengths), log_p=ops.where(missing, NEVER, found.log_p)
    ), is_ended


def _trace_back(trace: Trace, found: Finished, pad_id: int) -> tuple[Tensor, Tensor]:
    """Return the tokens found and the beams that proposed them, (max_length, batch, n) each."""

    def back(beam: Tensor, now: tuple) -> tuple:  # beam: the one after this step
        t, tokens, parents = now
        is_last = t == found.lengths - 1
        token = ops.where(is_last, found.tokens, _pick(tokens, beam))
        beam = ops.where(is_last, found.parents, _pick(parents, beam))
        return beam, (ops.where(t < found.lengths, token, pad_id), beam)

    steps = (ops.arange(trace.tokens.shape[0], dtype="int32"), trace.tokens, trace.parents)
    return scan(back, ops.zeros_like(found.parents), steps, reverse=True)[1]


def _weights(trace: Trace, beam: Tensor, lengths: Tensor) -> Tensor:
    """Return the attention (batch, n, max_length, source) of the traced beams."""
    weights = ops.reshape(
        trace.attention, (*ops.shape(trace.tokens), ops.shape(trace.attention)[-1])
    )
    weights = ops.take_along_axis(weights, beam[..., None], axis=2)
    real = ops.arange(trace.tokens.shape[0])[:, None, None] < lengths
    return ops.transpose(ops.where(real[..., None], weights, 0.0), (1, 2, 0, 3))


def _pick(values: Tensor, indices: Tensor) -> Tensor:
    """Select indices (batch, n) along the last axis of values (batch, k)."""
    return ops.take_along_axis(values, indices, axis=1)
