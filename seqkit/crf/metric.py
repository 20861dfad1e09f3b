"""The accuracy of a CRF's tags."""

from typing import Any

import keras
from keras import ops

from seqkit.crf.checks import check_tags, check_weights, which_are_tags
from seqkit.crf.potentials import check_potentials, real_steps
from seqkit.crf.search import viterbi
from seqkit.typing import Tensor


@keras.saving.register_keras_serializable(package="seqkit")
class CRFAccuracy(keras.metrics.Mean):
    """Share of the real steps at which the most probable sequence has the right tag.

    It searches with `viterbi`, once per batch.

    Args:
        name: Name.

    Call arguments:
        y_true: Tags (batch, time), ints; the values at masked steps are not read.
        y_pred: Potentials P (batch, time, tags, tags), as `CRF` returns it.
        sample_weight: None, or a weight for each sequence (batch,) or token (batch, time).

    Raises:
        ValueError: If the tags, potentials or weights have another shape or dtype, or, outside of
            graphs, if a tag at a real step is out of range; in a graph, it counts as an error.

    Example:
        >>> import keras
        >>> from seqkit import CRF, CRFAccuracy, CRFLoss
        >>> model = keras.Sequential([keras.Input((None, 8)), keras.layers.Dense(3), CRF(3)])
        >>> model.compile("adam", CRFLoss(), metrics=[CRFAccuracy()])
    """

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        potentials = check_potentials(y_pred, "CRFAccuracy")
        tags = check_tags(y_true, potentials, "CRFAccuracy")
        weights = ops.cast(real_steps(potentials), "float32")
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, potentials)
            steps = (1,) * (2 - len(sample_weight.shape))
            weights = weights * ops.reshape(sample_weight, (*ops.shape(sample_weight), *steps))
        which_are_tags(tags, weights != 0, potentials.shape[-1], "CRFAccuracy")
        found, _ = viterbi(potentials)
        is_right = ops.cast(ops.cast(found, tags.dtype) == tags, "float32")
        super().update_state(is_right, weights)
