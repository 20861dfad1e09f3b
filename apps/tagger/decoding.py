"""From a model's scores to tags: alike for a softmax and for a CRF.

Scores are logits (batch, length, tags), or the potentials (batch, length, tags, tags) of a CRF.
"""

from typing import Any

from keras import ops

from seqkit import crf


def best_tags(scores: Any) -> Any:
    """Choose the best tag of each word, or with a CRF the best tags together: (batch, length)."""
    if len(scores.shape) == 4:
        return crf.viterbi(scores)[0]
    return ops.cast(ops.argmax(scores, axis=-1), "int32")


def tag_probabilities(scores: Any) -> Any:
    """Compute the probability of each tag at each word: (batch, length, tags)."""
    return crf.marginals(scores) if len(scores.shape) == 4 else ops.softmax(scores, axis=-1)


def n_best(scores: Any, is_word: Any, n: Any) -> tuple[Any, Any]:
    """Find the n best taggings of each sentence, the best first.

    Args:
        scores: of a softmax or of a CRF.
        is_word: (batch, length) bool.
        n: how many, >= 1.

    Returns:
        Tag ids (batch, n, length), and the log-probability (batch, n) of each tagging, under -1e8
        where a sentence has fewer than n.
    """
    if len(scores.shape) == 3:
        scores = crf.log_potentials(scores, is_word)
    return crf.n_best(scores, n)
