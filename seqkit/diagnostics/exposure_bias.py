"""Exposure bias: the cost to a decoder of its own tokens as inputs (Deep Learning, 10.2.1)."""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from seqkit.decoding import rows
from seqkit.decoding.checks import check_tokens
from seqkit.decoding.generate import Step
from seqkit.decoding.scoring import log_p_of
from seqkit.decoding.unroll import unroll
from seqkit.typing import Mask, Nest, Tensor


class ExposureBias(NamedTuple):
    """Loss and accuracy of each token, after gold tokens (forced) and the model's own (free).

    Each field is (batch, time) float32, 0 where masked: sum it and divide by the number of real
    tokens.
    """

    forced_loss: Tensor  # -log p(y_t | y_1 ... y_{t-1})
    free_loss: Tensor  # -log p(y_t | y'_1 ... y'_{t-1}), y' the model's own most probable tokens
    forced_accuracy: Tensor  # 1 where the most probable token is the gold one
    free_accuracy: Tensor


def exposure_bias(
    step: Step,
    tokens: Tensor,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    mask: Mask = None,
) -> ExposureBias:
    """Compare a model's predictions after gold tokens with those after its own tokens.

        gap = mean free_loss - mean forced_loss,   or   forced_accuracy - free_accuracy

    Both are 0 for a model that makes no errors. The free-running loss is that of the gold token at
    the same position, so an inserted token counts against the model until the end.

    Args:
        step: `step(tokens, state, constants) -> (log_probabilities, state)`, as in
            `scheduled_sampling`.
        tokens: (batch, time) int32.
        state: The state before the first step.
        constants: What every step reads.
        bos_id: The first step's input token.
        mask: (batch, time) bool, True = real; padding on the right.

    Returns:
        An `ExposureBias`. The loss of a token outside of the vocabulary is NaN.

    Raises:
        ValueError: If an argument is invalid, as for `seqkit.decoding.score`.

    Source:
        Goodfellow et al. 2016, 10.2.1; Ranzato et al. 2016, 1.

    Example:
        >>> import numpy as np
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
        >>> found = exposure_bias(step, np.ones((2, 3), int), np.zeros((2, 1)), bos_id=0)
        >>> float(ops.mean(found.free_loss) - ops.mean(found.forced_loss))  # ignores its inputs
        0.0
    """

    def emit(gold: Tensor, log_p: Tensor) -> tuple[Tensor, Tensor]:
        return -log_p_of(gold, log_p), ops.cast(_most_probable(log_p) == gold, "float32")

    tokens = ops.convert_to_tensor(tokens)
    check_tokens(tokens, mask, rows.as_tensors(state), "exposure_bias")
    if mask is not None:
        mask = ops.cast(mask, "bool")
        tokens = ops.where(mask, tokens, bos_id)  # padding may hold anything

    def run_with(next_input: Callable) -> list[Tensor]:
        emitted = unroll(
            step, tokens, state, constants, bos_id=bos_id, next_input=next_input, emit=emit
        )
        emitted = [ops.transpose(v) for v in emitted]
        return emitted if mask is None else [ops.where(mask, v, 0.0) for v in emitted]

    forced_loss, forced_accuracy = run_with(lambda gold, log_p: gold)
    free_loss, free_accuracy = run_with(lambda gold, log_p: _most_probable(log_p))
    return ExposureBias(forced_loss, free_loss, forced_accuracy, free_accuracy)


def _most_probable(log_p: Tensor) -> Tensor:
    return ops.cast(ops.argmax(log_p, axis=-1), "int32")
