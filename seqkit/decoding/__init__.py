"""Decoding: chains of tokens from a step, as pure functions that compile and export.

    step(tokens (rows,) int32, state, constants) -> (log_probabilities (rows, vocabulary), state)

greedy, sample        one chain a row
beam_search           the best of many
score                 how likely given chains are
EndSymbol, BernoulliStop, PredictedLength    how a chain chooses its length
"""

from seqkit.decoding.beam import beam_search
from seqkit.decoding.generate import Decoded, greedy, sample
from seqkit.decoding.lengths import BernoulliStop, EndSymbol, PredictedLength
from seqkit.decoding.penalties import per_token, wu_penalty
from seqkit.decoding.sampling import top_k_filter, top_p_filter
from seqkit.decoding.scoring import Scored, score

__all__ = [
    "BernoulliStop",
    "Decoded",
    "EndSymbol",
    "PredictedLength",
    "Scored",
    "beam_search",
    "greedy",
    "per_token",
    "sample",
    "score",
    "top_k_filter",
    "top_p_filter",
    "wu_penalty",
]
