"""The layer that turns scores into log-potentials."""

from typing import Any

import keras
import numpy as np
from keras import ops

from seqkit.checks import positive
from seqkit.crf.checks import check_constraints, check_mask, check_scores_shape, check_steps
from seqkit.crf.potentials import IMPOSSIBLE, log_potentials
from seqkit.serialization import ConfigFromSignature
from seqkit.typing import Mask, Shape, Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class CRF(ConfigFromSignature, keras.layers.Layer):
    """Log-potentials of a linear chain, from the scores of each step.

    Args:
        tags: Number of tags, > 0.
        constraints: Which tags may follow each other, as `transition_constraints` returns it: a
            dict of nested lists of bools, `transitions` (tags, tags), `start` (tags,), `end`
            (tags,). None: all may.

    Call arguments:
        scores: (batch, time, tags).
        mask: (batch, time) bool, True = real.

    Returns:
        P (batch, time, tags, tags), float32 under any global policy: P[b, t, i, j] is the score
        of tag j at step t after tag i. If the largest score of a step lies outside of [-32, 32], it
        is subtracted from all scores of the step, which float32 would round. This changes no
        probability, and `log_partition` and `path_score` by the sum of what was subtracted.

    Raises:
        ValueError: If the last axis of the scores is not `tags`, or the constraints have another
            size.

    Masking:
        Padding may lie anywhere; the step after a gap follows the step before it. The mask is
        consumed: the output has none.

    Source:
        Lample et al. 2016, 2.2.

    Example:
        >>> import numpy as np
        >>> from seqkit import CRF, CRFAccuracy, CRFLoss, crf_loss, viterbi
        >>> potentials = CRF(3)(np.zeros((2, 5, 3)))
        >>> tuple(potentials.shape), tuple(viterbi(potentials)[0].shape)
        ((2, 5, 3, 3), (2, 5))
        >>> tuple(crf_loss(np.zeros((2, 5), int), potentials).shape)
        (2,)

        A model that ends in `CRF` returns potentials, which Keras's metric "accuracy" can't compare
        with tags. Train it with `CRFLoss`, which takes a `sample_weight` for each sequence or each
        token (the function `crf_loss` takes one for each sequence only), and with `CRFAccuracy`:

        >>> model = keras.Sequential([keras.Input((None, 8)), keras.layers.Dense(3), CRF(3)])
        >>> model.compile("adam", CRFLoss(), metrics=[CRFAccuracy()])
    """

    def __init__(self, tags: int, constraints: dict | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.tags = positive("tags", tags, self)
        self.constraints = check_constraints(constraints, self.tags)
        self.supports_masking = True

    def build(self, scores_shape: Shape) -> None:
        check_scores_shape(tuple(scores_shape), "CRF", self.tags)
        for name, rank in ("transitions", 2), ("start", 1), ("end", 1):
            shape = (self.tags,) * rank
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def call(self, scores: Tensor, mask: Mask = None) -> Tensor:
        check_scores_shape(tuple(scores.shape), "CRF", self.tags)
        mask = mask if mask is None else check_mask(mask, scores, "CRF")
        transitions, start, end = map(self._allowed, ("transitions", "start", "end"))
        return log_potentials(scores, mask, transitions, start, end)

    def compute_output_shape(self, scores_shape: Shape) -> Shape:
        check_scores_shape(tuple(scores_shape), "CRF", self.tags)
        return (*scores_shape, self.tags)

    def compute_output_spec(self, scores: Tensor, mask: Mask = None) -> keras.KerasTensor:
        if mask is not None:
            check_steps("mask", mask, scores, "CRF")
        return keras.KerasTensor(self.compute_output_shape(scores.shape), "float32")

    def _allowed(self, name: str) -> Tensor:
        weight = ops.cast(getattr(self, name), "float32")
        if not self.constraints:
            return weight
        return ops.where(np.array(self.constraints[name], bool), weight, IMPOSSIBLE)

    def compute_mask(self, scores: Tensor, mask: Mask = None) -> None:
        return None
