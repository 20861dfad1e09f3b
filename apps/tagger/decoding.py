"""Decoding of a model's scores into tags, for a softmax and for a CRF.

Scores are logits (batch, length, tags), or the potentials (batch, length, tags, tags) of a CRF.
"""

from keras import ops

from seqkit import crf
from seqkit.typing import Tensor


def best_tags(scores: Tensor) -> Tensor:
    """Return the best tag of each word, or with a CRF the best tag sequence: (batch, length)."""
    if len(scores.shape) == 4:
        return crf.viterbi(scores)[0]
    return ops.cast(ops.argmax(scores, axis=-1), "int32")


def tag_probabilities(scores: Tensor) -> Tensor:
    """Compute the probability of each tag for each word: (batch, length, tags)."""
    return crf.marginals(scores) if len(scores.shape) == 4 else ops.softmax(scores, axis=-1)


def n_best(scores: Tensor, is_word: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
    """Find the n best taggings of each sentence, the best first.

    Args:
        scores: Scores of a softmax or of a CRF.
        is_word: Mask (batch, length).
        n: Number of taggings, >= 1.

    Returns:
        Tag ids (batch, n, length), and the log-probability (batch, n) of each tagging, below
        -1e8 where a sentence has fewer than n.
    """
    if len(scores.shape) == 3:
        scores = crf.log_potentials(scores, is_word)
    return crf.n_best(scores, n)
