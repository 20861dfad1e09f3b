"""All sequences of a model by plain recursion, and plain beam search: references for decoding."""

from typing import NamedTuple

import numpy as np


class Sequence(NamedTuple):
    tokens: tuple
    ended: bool  # False: cut at max_length
    log_p: float
    attention: tuple  # of each step, (source,)


def enumerate_sequences(step, p_stop, state, bos, max_length, prefix=(), reshape=lambda p: p):
    """Return all sequences of one row.

    step(token, state) -> (p(token), state, attention); p_stop(token, state, t) -> p(the sequence
    ends after this token); reshape(p) -> the distribution that is drawn from, for sampling.
    """

    def extend(tokens, state, log_p, attention):
        t = len(tokens)
        if t == max_length:
            yield Sequence(tokens, False, log_p, attention)
            return
        p, new_state, weights = step(tokens[-1] if tokens else bos, state)
        p = reshape(p)
        for token in range(len(p)):
            if t < len(prefix) and token != prefix[t]:
                continue
            if p[token] == 0:
                continue
            stop = p_stop(token, new_state, t)
            longer = (*tokens, token)
            new_log_p = log_p + np.log(p[token])
            new_attention = (*attention, weights)
            if stop > 0 and len(longer) >= len(prefix):
                yield Sequence(longer, True, new_log_p + np.log(stop), new_attention)
            if stop < 1:
                yield from extend(longer, new_state, new_log_p + np.log1p(-stop), new_attention)

    return list(extend((), state, 0.0, ()))


def score(sequence, length_penalty=lambda n: 1.0, coverage_weight=0.0, source_mask=None):
    """Wu et al. 2016, eq. 14."""
    value = sequence.log_p / length_penalty(len(sequence.tokens))
    if coverage_weight:
        coverage = np.minimum(np.sum(sequence.attention, axis=0), 1.0)
        value += coverage_weight * np.log(coverage[source_mask]).sum()
    return value


def repeats(tokens, n):
    """Return whether an n-gram occurs twice."""
    ngrams = [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    return len(set(ngrams)) < len(ngrams)


def ranked(sequences, **penalties):
    """Return (sequence, score), first those that ended, then those cut, each by score."""
    scored = [(sequence, score(sequence, **penalties)) for sequence in sequences]
    return sorted(scored, key=lambda pair: (not pair[0].ended, -pair[1]))


def beam_search(step, p_stop, state, bos, max_length, num_beams, length_penalty=lambda n: 1.0):
    """Return (hypothesis, score) of one row, ranked: the plain algorithm without early stopping.

    Of all continuations of the live hypotheses, ends among the num_beams likeliest are kept apart,
    and the num_beams likeliest that do not end stay live.
    """
    live, ended = [(Sequence((), False, 0.0, ()), state)], []
    for t in range(max_length):
        candidates = []
        for hypothesis, state in live:
            tokens = hypothesis.tokens
            p, new_state, weights = step(tokens[-1] if tokens else bos, state)
            for token in range(len(p)):
                stop = p_stop(token, new_state, t)
                for is_end, q in ((True, stop), (False, 1 - stop)):
                    if q > 0:
                        log_p = hypothesis.log_p + np.log(p[token]) + np.log(q)
                        attention = (*hypothesis.attention, weights)
                        longer = Sequence((*tokens, token), is_end, log_p, attention)
                        candidates.append((longer, new_state))
        candidates.sort(key=lambda candidate: -candidate[0].log_p)
        ended += [hypothesis for hypothesis, _ in candidates[:num_beams] if hypothesis.ended]
        live = [candidate for candidate in candidates if not candidate[0].ended][:num_beams]
    cut = [hypothesis for hypothesis, _ in live]
    return ranked(ended + cut, length_penalty=length_penalty)
