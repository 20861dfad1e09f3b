"""Decoding: sequences of tokens from a step function, as pure functions that compile and export.

    step(tokens (rows,) int32, state, constants) -> (log_probs (rows, vocabulary), state)

greedy, sample                               one sequence per row
beam_search                                  the best hypotheses in a beam
BeamSearch                                   the same as a layer, for models that output sequences
score                                        the log-likelihood of given sequences
EndSymbol, BernoulliStop, PredictedLength    models of a sequence's length
"""

from seqkit.decoding.beam import beam_search
from seqkit.decoding.generate import Decoded, greedy, sample
from seqkit.decoding.layer import BeamSearch
from seqkit.decoding.lengths import BernoulliStop, EndSymbol, PredictedLength
from seqkit.decoding.penalties import per_token, wu_penalty
from seqkit.decoding.sampling import top_k_filter, top_p_filter
from seqkit.decoding.scoring import Scored, score

__all__ = [
    "BeamSearch",
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
