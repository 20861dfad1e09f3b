"""What a decoder is fed in training: the gold tokens, its own, or some of both (10.2.1).

constant, linear, exponential, inverse_sigmoid    how likely the gold token is, by training step
scheduled_sampling                                log-probabilities under such a feeding
exposure_bias                                     what is lost where there is no gold to feed
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqkit.backend import scan
from seqkit.decoding import rows
from seqkit.decoding.generate import Step
from seqkit.decoding.sampling import draw, uniform

Schedule = Callable[[Any], Any]


def constant(probability: float = 1.0) -> Schedule:
    """epsilon_i = p: teacher forcing with 1, free running with 0.

    Raises: ValueError if p is not in [0, 1].
    """
    _check_probability("probability", probability)
    return lambda step: probability + 0.0 * ops.cast(step, "float32")


def linear(slope: float, start: float = 1.0, floor: float = 0.0) -> Schedule:
    """epsilon_i = max(floor, start - slope i).

    Raises: ValueError if slope is not positive, or start or floor not in [0, 1].
    Source: Bengio et al. 2015, 2.4.

    >>> [round(float(linear(0.25, floor=0.3)(i)), 2) for i in (0, 1, 2, 100)]
    [1.0, 0.75, 0.5, 0.3]
    """
    if slope <= 0:
        raise ValueError(f"slope is {slope}; it must be positive")
    _check_probability("start", start)
    _check_probability("floor", floor)
    return lambda step: ops.maximum(floor, start - slope * ops.cast(step, "float32"))


def exponential(k: float) -> Schedule:
    """epsilon_i = k^i.

    Raises: ValueError if k is not in (0, 1).
    Source: Bengio et al. 2015, 2.4.

    >>> [round(float(exponential(0.5)(i)), 3) for i in (0, 1, 3)]
    [1.0, 0.5, 0.125]
    """
    if not 0 < k < 1:
        raise ValueError(f"k is {k}; exponential decay wants 0 < k < 1")
    return lambda step: k ** ops.cast(step, "float32")


def inverse_sigmoid(k: float) -> Schedule:
    """epsilon_i = k / (k + exp(i / k)): about 1 until i is some times k.

    Raises: ValueError if k is less than 1.
    Source: Bengio et al. 2015, 2.4.

    >>> [round(float(inverse_sigmoid(10)(i)), 3) for i in (0, 23, 100)]
    [0.909, 0.501, 0.0]
    """
    if k < 1:
        raise ValueError(f"k is {k}; inverse sigmoid decay wants k >= 1")
    # The same as a sigmoid, whose exponential doesn't overflow.
    return lambda step: ops.sigmoid(ops.log(float(k)) - ops.cast(step, "float32") / k)


def scheduled_sampling(
    step: Step,
    tokens: Any,
    state: Any,
    constants: Any = None,
    *,
    bos_id: int,
    probability: Any,
    seed: Any,
) -> Any:
    """Log-probabilities of each step, fed with the gold token or with one drawn from the model.

        y'_t = y_t with probability epsilon, else y'_t ~ p(y | y'_1 ... y'_{t-1})

    With probability 1 it is teacher forcing, with 0 the model runs freely.

    Args:
        step: `step(tokens (batch,) int32, state, constants) -> (log_probabilities (batch,
            vocabulary), state)`, as `seqkit.decoding` takes it.
        tokens: y (batch, time) int32; padding on the right, which the loss's mask is to leave out.
        state, constants: as for `seqkit.decoding.greedy`.
        bos_id: the token that the first step gets.
        probability: epsilon in [0, 1], a number or a scalar tensor: a schedule of the training
            step. A coin is thrown for each token.
        seed: an int, a `keras.random.SeedGenerator`, or a tensor of two ints.

    Returns:
        (batch, time, vocabulary) float32, of the step that should say each token.
    Gradients: through every step's probabilities and states; what was drawn carries none.
    Raises: ValueError if a step changes the structure or the dtypes of the state.
    Source: Bengio et al. 2015, 2.3-2.4. Deviations: none.

    >>> import numpy as np
    >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
    >>> log_p = scheduled_sampling(
    ...     step, np.ones((2, 3), int), np.zeros((2, 1)), bos_id=0, probability=0.5, seed=1)
    >>> tuple(log_p.shape)
    (2, 3, 5)
    """
    by_chance = uniform((*reversed(ops.shape(tokens)), 2), seed)  # (time, batch, 2)

    def feed(gold: Any, log_p: Any, by_chance: Any) -> Any:
        own = draw(ops.stop_gradient(log_p), by_chance[:, 0])
        return ops.where(by_chance[:, 1] < probability, gold, own)

    def tell(gold: Any, log_p: Any) -> Any:
        return log_p

    log_p = _run(step, tokens, state, constants, bos_id, feed, tell, by_chance)
    return ops.transpose(log_p, (1, 0, 2))


class ExposureBias(NamedTuple):
    """How a model does behind gold tokens (forced) and behind its own (free), token by token.

    Each is (batch, time) float32, 0 where masked: sum it and divide by the number of real tokens.
    """

    forced_loss: Any  # -log p(y_t | y_1 ... y_{t-1})
    free_loss: Any  # -log p(y_t | y'_1 ... y'_{t-1}), y' the model's own most probable tokens
    forced_accuracy: Any  # 1 where the most probable token is the gold one
    free_accuracy: Any


def exposure_bias(
    step: Step,
    tokens: Any,
    state: Any,
    constants: Any = None,
    *,
    bos_id: int,
    mask: Any = None,
) -> ExposureBias:
    """What a model loses when it goes on from its own tokens instead of the gold ones.

        gap = mean free_loss - mean forced_loss,   or   forced_accuracy - free_accuracy

    Of a model that never errs both are 0. The loss behind its own tokens asks for the gold token of
    the same place, so that a word too many counts against it until the end.

    Args:
        step, tokens, state, constants, bos_id: as for `scheduled_sampling`.
        mask: (batch, time) bool, True = real; padding on the right.

    Returns:
        `ExposureBias`.
    Source: Goodfellow et al. 2016, 10.2.1; Ranzato et al. 2016, 1.

    >>> import numpy as np
    >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
    >>> found = exposure_bias(step, np.ones((2, 3), int), np.zeros((2, 1)), bos_id=0)
    >>> float(ops.mean(found.free_loss) - ops.mean(found.forced_loss))  # it heeds nothing
    0.0
    """

    def tell(gold: Any, log_p: Any) -> tuple[Any, Any]:
        loss = -ops.take_along_axis(log_p, gold[:, None], axis=1)[:, 0]
        best = ops.cast(ops.argmax(log_p, axis=-1), "int32")
        return loss, ops.cast(best == gold, "float32")

    def gold_token(gold: Any, log_p: Any) -> Any:
        return gold

    def own_token(gold: Any, log_p: Any) -> Any:
        return ops.cast(ops.argmax(log_p, axis=-1), "int32")

    if mask is not None:
        tokens = ops.where(mask, tokens, bos_id)  # padding may hold anything

    def under(feed: Callable) -> list:
        told = _run(step, tokens, state, constants, bos_id, feed, tell)
        told = [ops.transpose(v) for v in told]
        return told if mask is None else [ops.where(mask, v, 0.0) for v in told]

    forced_loss, forced_accuracy = under(gold_token)
    free_loss, free_accuracy = under(own_token)
    return ExposureBias(forced_loss, free_loss, forced_accuracy, free_accuracy)


def _run(
    step: Step,
    tokens: Any,
    state: Any,
    constants: Any,
    bos_id: int,
    feed: Callable,
    tell: Callable,
    *more: Any,
) -> Any:
    """`tell` of every step, time first, each fed with what `feed` chose behind the one before."""
    tokens = ops.transpose(ops.cast(tokens, "int32"))
    first = (rows.tensors(state), ops.full_like(tokens[0], bos_id))

    def one_step(before: tuple, now: tuple) -> tuple[tuple, Any]:
        state, last = before
        gold, *more = now
        log_p, after = step(last, state, constants)
        log_p = ops.cast(log_p, "float32")
        return (rows.like(state, after), feed(gold, log_p, *more)), tell(gold, log_p)

    return scan(one_step, first, (tokens, *more))[1]


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}; a probability is from 0 to 1")
