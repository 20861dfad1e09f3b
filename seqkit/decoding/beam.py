"""Beam search: the best chains among those that a beam keeps in sight (Deep Learning, 10.4)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from seqkit.backend import scan
from seqkit.decoding import rows
from seqkit.decoding.generate import Decoded, Step
from seqkit.decoding.lengths import Length
from seqkit.decoding.penalties import ban_repeats, coverage_penalty
from seqkit.typing import Nest, Tensor

NEVER = -float("inf")


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
    length_penalty: Callable[[Any], Any] | None = None,
    coverage_weight: float = 0.0,
    source_mask: Tensor | None = None,
    no_repeat_ngram: int = 0,
    prefix: Tensor | None = None,
    attention: Callable[[Any], Any] | None = None,
    drop_ended: bool = False,
) -> Decoded:
    """The chains of the best score, found by extending the num_beams likeliest at each step.

        score(y) = log p(y) / lp(|y|) + beta sum_i log(min(sum_t a_ti, 1))

    The tiling of state and constants is done here: hand them over as for `greedy`. Chains that have
    ended stand apart from the live ones, and no step changes them. An end counts only if it is
    among the num_beams likeliest ways to go on from a step, so that one beam is `greedy`.

    Args:
        step: `step(tokens (rows,) int32, state, constants) -> (log_probabilities (rows,
            vocabulary), state)`, pure; rows are batch times num_beams. None of it above 0.
        state, constants: before the first step, nests of tensors with one row a sentence.
        num_beams: chains kept alive, > 0.
        num_results: chains returned, at most num_beams; the more, the longer it takes to be sure
            of them.
        bos_id, length, max_length, pad_id: as for `greedy`.
        length_penalty: lp, a function of lengths (float32) that is positive and never falls:
            `wu_penalty(alpha)`, `per_token`; None: 1.
        coverage_weight: beta >= 0; needs `attention`.
        source_mask: (batch, source) bool, True = real: what coverage asks for.
        no_repeat_ngram: no run of so many tokens occurs twice in a chain; 0: any may.
        prefix: (batch, prefix time) int32, what the chains begin with, pad_id behind it. Its
            log-probability counts.
        attention: of a state, the weights (rows, source) of the step that returned it.
        drop_ended: as for `greedy`, whenever no better chain can come of half of the sentences.

    Returns:
        `Decoded` with shapes (batch, num_results, ...), the best first. Chains cut at max_length
        come behind all that ended. Where there are fewer, score -inf and length 0.

    Raises:
        ValueError: for a number out of its range, or coverage without attention.

    Source:
        Wu et al. 2016, 7.

    Deviations:
        penalties rank what ended, not what is live; nothing is pruned by a margin.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import EndSymbol, beam_search, wu_penalty
        >>> chain = np.log(np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2]], "float32"))
        >>> step = lambda tokens, state, constants: (ops.take(chain, tokens, axis=0), state)
        >>> found = beam_search(
        ...     step, np.zeros((1, 1)), num_beams=3, num_results=2, bos_id=0, length=EndSymbol(2),
        ...     max_length=4, length_penalty=wu_penalty(0.6))
        >>> np.asarray(found.tokens[0]).tolist()
        [[2, 0, 0, 0], [1, 2, 0, 0]]
    """
    if not 1 <= num_results <= num_beams:
        raise ValueError(
            f"num_results is {num_results} of {num_beams} beams; it must be from 1 to num_beams"
        )
    if coverage_weight < 0 or no_repeat_ngram < 0:
        raise ValueError(
            f"coverage_weight is {coverage_weight}, no_repeat_ngram {no_repeat_ngram}; neither "
            "may be negative"
        )
    if coverage_weight and attention is None:
        raise ValueError("coverage_weight needs attention=, a function of the state to weights")

    K, N = num_beams, num_results
    batch = rows.count(state, constants)
    state, constants, source_mask = (rows.tile(v, K) for v in (state, constants, source_mask))
    length = length.tiled(K)
    forced = None if prefix is None else _forced(prefix, K, max_length, pad_id)

    def lp(lengths: Tensor) -> Tensor:
        lengths = ops.cast(lengths, "float32")
        return 1.0 if length_penalty is None else length_penalty(lengths)

    def cp(live: dict, beams: dict) -> Tensor:
        """Beta times the coverage penalty of each beam, (sentences, K)."""
        if not coverage_weight:
            return ops.zeros_like(live["log_p"])
        mask = rows.take(source_mask, beams_of(live))
        penalty = coverage_penalty(beams["coverage"], mask)
        return coverage_weight * ops.reshape(penalty, (-1, K))

    def beams_of(live: dict) -> Tensor:
        """Which rows of the whole batch the live beams are; None: all, in their order."""
        return _beams(live["at"], K) if drop_ended else None

    # What follows a beam when beams change places: one gather a leaf.
    beams = {"state": state}
    if attention is not None:
        weights_shape = ops.shape(attention(state))
    if coverage_weight:
        beams["coverage"] = ops.zeros(weights_shape, "float32")
    if no_repeat_ngram:
        beams["history"] = ops.zeros((batch * K, max_length), "int32")
    only_first = ops.where(ops.arange(K) == 0, 0.0, NEVER)  # all beams begin alike
    # Of the sentences that go on.
    live = {
        "last": ops.full((batch, K), bos_id, "int32"),
        "log_p": ops.broadcast_to(ops.cast(only_first, "float32"), (batch, K)),
    }
    by_beam = {"beams": beams}
    if drop_ended:  # what all steps read gets fewer rows, too
        live["at"] = ops.arange(batch, dtype="int32")
        by_beam["constants"] = rows.leaves(constants)
    # Of the whole batch.
    found = {
        # Step by step the live beams, to be traced back: their tokens, where they came from, and
        # what each row looked at before beams changed places.
        "tokens": ops.full((max_length, batch, K), pad_id, "int32"),
        "parents": ops.zeros((max_length, batch, K), "int32"),
        "ended": _nothing(batch, N),
    }
    if attention is not None:
        found["attention"] = ops.zeros((max_length, *weights_shape), "float32")

    def one_step(
        t: Tensor, live: dict, by_beam: dict, found: dict
    ) -> tuple[Tensor, dict, dict, dict]:
        read, length_of = constants, length
        if drop_ended:
            few, left = rows.few_left(can_improve(live, found))
            live, by_beam = ops.cond(
                few,
                lambda: (rows.take(live, left), rows.take(by_beam, _beams(left, K))),
                lambda: (live, by_beam),
            )
            read = rows.with_leaves(constants, by_beam["constants"])
            length_of = length.taken(beams_of(live))
        at, at_beams, beams = live.get("at"), beams_of(live), by_beam["beams"]
        log_p, state = step(ops.reshape(live["last"], (-1,)), beams["state"], read)
        log_p = allowed = ops.cast(log_p, "float32")
        after = {**beams, "state": rows.like(beams["state"], state)}
        if attention is not None:
            weights = ops.cast(attention(state), "float32")
        if coverage_weight:
            after["coverage"] = beams["coverage"] + weights
        if no_repeat_ngram:
            allowed = ban_repeats(log_p, beams["history"], t, no_repeat_ngram)

        # One more than K of each row: an end symbol among them leaves K to go on with.
        each = min(K + 1, log_p.shape[-1])
        gains, tokens = ops.top_k(allowed, each)
        tokens = ops.cast(tokens, "int32")
        if forced is not None:
            now, after_it = (rows.take(forced[i], at_beams) for i in (t, t + 1))
            gains, tokens = _force(now, gains, tokens, log_p, pad_id)
        go_on, end = length_of.after(tokens, state, t)
        if forced is not None:  # no chain ends inside the prefix
            end = ops.where((after_it != pad_id)[:, None], NEVER, end)
        total = ops.reshape(live["log_p"], (-1, 1)) + gains
        go_on, end = (ops.reshape(total + v, (-1, K * each)) for v in (go_on, end))
        tokens = ops.reshape(tokens, (-1, K * each))

        best, here = ops.top_k(ops.concatenate([go_on, end], axis=1), K)
        here = ops.cast(here, "int32")
        is_end, here = here >= K * each, here % (K * each)
        parents = here // each
        score = best / lp(t + 1) + _pick(cp(live, after), parents)
        new = {
            "scores": ops.where(is_end, score, NEVER),
            "log_p": best,
            "lengths": ops.ones_like(here) * (t + 1),
            "parents": parents,
            "tokens": _pick(tokens, here),
        }
        results = _best_of(rows.take(found["ended"], at), new, N)

        log_p, here = ops.top_k(go_on, K)
        here = ops.cast(here, "int32")
        parents, last = here // each, _pick(tokens, here)
        first_row = ops.arange(ops.shape(here)[0])[:, None] * K  # of each sentence
        after = rows.take(after, ops.reshape(first_row + parents, (-1,)))
        if no_repeat_ngram:
            now = ops.arange(max_length) == t
            after["history"] = ops.where(now, ops.reshape(last, (-1, 1)), after["history"])
        found = {
            **found,
            "tokens": rows.put(found["tokens"], t, last, at),
            "parents": rows.put(found["parents"], t, parents, at),
            "ended": rows.spread(results, at, over=found["ended"]),
        }
        if attention is not None:
            found["attention"] = rows.put(found["attention"], t, weights, at_beams)
        live = {**live, "last": last, "log_p": log_p}
        return t + 1, live, {**by_beam, "beams": after}, found

    def can_improve(live: dict, found: dict) -> Tensor:
        # Whether a live chain can still enter the results. Its log p is not above 0 and only falls,
        # and lp only rises, so wherever it ends, log p / lp <= log p now / lp(max_length); the
        # coverage penalty is never above 0. Ties go to what ended before.
        worst = rows.take(found["ended"]["scores"], live.get("at"))[:, N - 1]
        return worst < live["log_p"][:, 0] / lp(max_length)

    def goes_on(t: Tensor, live: dict, by_beam: dict, found: dict) -> Tensor:
        return ops.logical_and(t < max_length, ops.any(can_improve(live, found)))

    t = ops.convert_to_tensor(0, "int32")
    _, live, by_beam, found = ops.while_loop(goes_on, one_step, (t, live, by_beam, found))
    # Sentences that were left out have all the results that there can be.
    nothing = ops.full((batch, K), NEVER, "float32"), ops.zeros((batch, K), "float32")
    last = live["log_p"], cp(live, by_beam["beams"])
    log_p, penalty = rows.spread(last, live.get("at"), over=nothing)
    cut = {
        "scores": log_p / lp(max_length) + penalty,
        "log_p": log_p,
        "lengths": ops.full((batch, K), max_length, "int32"),
        "parents": found["parents"][max_length - 1],
        "tokens": found["tokens"][max_length - 1],
    }
    results, ended = _fill(found["ended"], _best_of(_nothing(batch, N), cut, N))
    tokens, at = _trace_back(found["tokens"], found["parents"], results, pad_id)
    weights = None
    if attention is not None:
        weights = ops.reshape(found["attention"], (max_length, batch, K, weights_shape[-1]))
        weights = ops.take_along_axis(weights, at[..., None], axis=2)
        real = ops.arange(max_length)[:, None, None] < results["lengths"]
        weights = ops.transpose(ops.where(real[..., None], weights, 0.0), (1, 2, 0, 3))
    return Decoded(
        ops.transpose(tokens, (1, 2, 0)),
        results["lengths"],
        results["log_p"],
        results["scores"],
        ended,
        weights,
    )


def _beams(sentences: Tensor, num_beams: int) -> Tensor:
    """Sentences (n,) -> the rows of their beams, (n * num_beams,)."""
    return ops.reshape(sentences[:, None] * num_beams + ops.arange(num_beams), (-1,))


def _forced(prefix: Tensor | None, num_beams: int, max_length: int, pad_id: int) -> Tensor:
    """The prefix (max_length + 1, rows): what each step must choose, pad_id where it is free."""
    prefix = ops.cast(rows.tile(prefix, num_beams), "int32")[:, :max_length]
    missing = max_length + 1 - prefix.shape[1]
    return ops.transpose(ops.pad(prefix, ((0, 0), (0, missing)), constant_values=pad_id))


def _force(
    forced: Tensor, gains: Tensor, tokens: Tensor, log_p: Tensor, pad_id: int
) -> tuple[Tensor, Tensor]:
    """Candidates of each row, where it is forced but one: the first."""
    forced = forced[:, None]
    is_forced = forced != pad_id
    gain = ops.take_along_axis(log_p, ops.where(is_forced, forced, 0), axis=1)
    gain = ops.where(ops.arange(gains.shape[1]) == 0, gain, NEVER)
    return ops.where(is_forced, gain, gains), ops.where(is_forced, forced, tokens)


def _nothing(batch: Tensor, n: int) -> dict:
    """No results yet: of each, where it stood before its last token, and that token."""
    return {
        "scores": ops.full((batch, n), NEVER, "float32"),
        "log_p": ops.full((batch, n), NEVER, "float32"),
        "lengths": ops.zeros((batch, n), "int32"),
        "parents": ops.zeros((batch, n), "int32"),
        "tokens": ops.zeros((batch, n), "int32"),
    }


def _best_of(old: dict, new: dict, n: int) -> dict:
    """The n of the best scores, the old before the new where they tie."""
    both = {name: ops.concatenate([old[name], new[name]], axis=1) for name in old}
    scores, at = ops.top_k(both["scores"], n)
    return {name: _pick(values, at) for name, values in both.items()} | {"scores": scores}


def _fill(ended: dict, cut: dict) -> tuple[dict, Tensor]:
    """What ended, then what was cut; and which is which. The rest is marked by score and length."""
    is_ended = ended["scores"] > NEVER
    n = is_ended.shape[1]
    count = ops.sum(ops.cast(is_ended, "int32"), axis=1, keepdims=True)
    at = ops.maximum(ops.arange(n) - count, 0)
    filled = {name: ops.where(is_ended, ended[name], _pick(cut[name], at)) for name in ended}
    nothing = filled["scores"] == NEVER
    filled["lengths"] = ops.where(nothing, 0, filled["lengths"])
    filled["log_p"] = ops.where(nothing, NEVER, filled["log_p"])
    return filled, is_ended


def _trace_back(
    tokens: Tensor, parents: Tensor, results: dict, pad_id: int
) -> tuple[Tensor, Tensor]:
    """The results' tokens, and the beam that proposed each: both (max_length, batch, n)."""
    max_length = tokens.shape[0]

    def back(beam: Tensor, now: tuple) -> tuple:  # beam: which it became after this step
        t, tokens, parents = now
        is_last = t == results["lengths"] - 1
        token = ops.where(is_last, results["tokens"], _pick(tokens, beam))
        beam = ops.where(is_last, results["parents"], _pick(parents, beam))
        return beam, (ops.where(t < results["lengths"], token, pad_id), beam)

    steps = (ops.arange(max_length, dtype="int32"), tokens, parents)
    return scan(back, ops.zeros_like(results["parents"]), steps, reverse=True)[1]


def _pick(values: Tensor, at: Tensor) -> Tensor:
    """Values (batch, k), at (batch, n) -> (batch, n)."""
    return ops.take_along_axis(values, at, axis=1)
