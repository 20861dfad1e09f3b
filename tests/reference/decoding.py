"""Every chain that a model can say, by plain recursion: what searching and sampling are held to."""

from typing import NamedTuple

import numpy as np


class Chain(NamedTuple):
    tokens: tuple
    ended: bool  # False: cut at max_length
    log_p: float
    attention: tuple  # of each step, (source,)


def enumerate_chains(step, ends, state, bos, max_length, prefix=(), reshape=lambda p: p):
    """All chains of one sentence.

    step(token, state) -> (p(token), state, attention); ends(token, state, t) -> p(the chain ends
    behind this token); reshape(p) -> the p that is drawn from, for sampling.
    """

    def extend(tokens, state, log_p, attention):
        t = len(tokens)
        if t == max_length:
            yield Chain(tokens, False, log_p, attention)
            return
        p, after, weights = step(tokens[-1] if tokens else bos, state)
        p = reshape(p)
        for token in range(len(p)):
            if t < len(prefix) and token != prefix[t]:
                continue
            if p[token] == 0:
                continue
            stop = ends(token, after, t)
            longer = (*tokens, token)
            here = log_p + np.log(p[token])
            seen = (*attention, weights)
            if stop > 0 and len(longer) >= len(prefix):
                yield Chain(longer, True, here + np.log(stop), seen)
            if stop < 1:
                yield from extend(longer, after, here + np.log1p(-stop), seen)

    return list(extend((), state, 0.0, ()))


def score(chain, length_penalty=lambda n: 1.0, coverage_weight=0.0, source_mask=None):
    """Wu et al. 2016, eq. 14."""
    value = chain.log_p / length_penalty(len(chain.tokens))
    if coverage_weight:
        coverage = np.minimum(np.sum(chain.attention, axis=0), 1.0)
        value += coverage_weight * np.log(coverage[source_mask]).sum()
    return value


def repeats(tokens, n):
    """Whether a run of n tokens occurs twice."""
    runs = [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    return len(set(runs)) < len(runs)


def ranked(chains, **penalties):
    """(chain, score), what ended first, then what was cut, each by score."""
    scored = [(chain, score(chain, **penalties)) for chain in chains]
    return sorted(scored, key=lambda pair: (not pair[0].ended, -pair[1]))


def beam_search(step, ends, state, bos, max_length, num_beams, length_penalty=lambda n: 1.0):
    """(chain, score) of one sentence, ranked: the plain algorithm, which never stops early.

    Of all ways to go on from the live chains, an end among the num_beams likeliest is kept apart,
    and the num_beams likeliest that do not end live on.
    """
    live, ended = [(Chain((), False, 0.0, ()), state)], []
    for t in range(max_length):
        ways = []
        for chain, state in live:
            p, after, weights = step(chain.tokens[-1] if chain.tokens else bos, state)
            for token in range(len(p)):
                stop = ends(token, after, t)
                for is_end, q in ((True, stop), (False, 1 - stop)):
                    if q > 0:
                        log_p = chain.log_p + np.log(p[token]) + np.log(q)
                        longer = (*chain.tokens, token)
                        seen = (*chain.attention, weights)
                        ways.append((Chain(longer, is_end, log_p, seen), after))
        ways.sort(key=lambda way: -way[0].log_p)
        ended += [chain for chain, _ in ways[:num_beams] if chain.ended]
        live = [way for way in ways if not way[0].ended][:num_beams]
    cut = [chain for chain, _ in live]
    return ranked(ended + cut, length_penalty=length_penalty)
