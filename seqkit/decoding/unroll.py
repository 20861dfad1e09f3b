"""Run a step function over a whole sequence of gold tokens."""

from collections.abc import Callable

from keras import ops

from seqkit.backend import scan
from seqkit.decoding import rows
from seqkit.decoding.checks import check_log_probs, checked
from seqkit.decoding.generate import Step
from seqkit.typing import Nest, Tensor


def unroll(
    step: Step,
    tokens: Tensor,
    state: Nest,
    constants: Nest,
    *,
    bos_id: int,
    next_input: Callable[..., Tensor],
    emit: Callable[[Tensor, Tensor], Nest],
    per_step: tuple = (),
) -> Nest:
    """Run a step once per gold token and collect what `emit` returns.

    Args:
        step: As for `greedy`.
        tokens: Gold tokens (batch, time) int32.
        state: Before the first step.
        constants: Read at every step.
        bos_id: First input token.
        next_input: `next_input(gold, log_probs, *per_step) -> tokens`: the input of the next step.
        emit: `emit(gold, log_probs)`: the result of a step.
        per_step: Tensors (time, ...), of which each `next_input` gets one slice.

    Returns:
        The emitted nest, time first.
    """
    state, constants = checked("step", step, state, constants, bos_id=bos_id, length=None)
    initial = (state, ops.full((ops.shape(tokens)[0],), bos_id, "int32"))
    tokens = ops.transpose(ops.cast(tokens, "int32"))

    def one_step(carry: tuple, now: tuple) -> tuple[tuple, Nest]:
        state, last = carry
        gold, *extra = now
        log_p, new_state = step(last, state, constants)
        log_p = check_log_probs(log_p, gold, None)
        new_state = rows.check_same(state, new_state)
        return (new_state, next_input(gold, log_p, *extra)), emit(gold, log_p)

    return scan(one_step, initial, (tokens, *per_step))[1]
