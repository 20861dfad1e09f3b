"""Decoder inputs in training: gold tokens, the model's own, or a mixture of both (10.2.1).

constant, linear, exponential, inverse_sigmoid    probability of the gold token, by training step
scheduled_sampling                                log-probabilities given such inputs
"""

import numbers
from collections.abc import Callable

from keras import ops

from seqkit.decoding import rows
from seqkit.decoding.checks import check_tokens
from seqkit.decoding.generate import Step
from seqkit.decoding.sampling import draw, uniform
from seqkit.decoding.unroll import unroll
from seqkit.typing import Nest, Seed, Tensor

Schedule = Callable[[Tensor], Tensor]  # training step -> probability of the gold token


def constant(probability: float = 1.0) -> Schedule:
    """Return the schedule epsilon_i = p: 1 is teacher forcing, 0 is free-running.

    Raises:
        ValueError: If p is not in [0, 1].
    """
    _check_probability("probability", probability)
    return lambda step: probability + 0.0 * ops.cast(step, "float32")


def linear(slope: float, start: float = 1.0, floor: float = 0.0) -> Schedule:
    """Return the schedule epsilon_i = max(floor, start - slope i).

    Raises:
        ValueError: If slope is not positive, or start or floor is not in [0, 1].

    Source:
        Bengio et al. 2015, 2.4.

    Example:
        >>> [round(float(linear(0.25, floor=0.3)(i)), 2) for i in (0, 1, 2, 100)]
        [1.0, 0.75, 0.5, 0.3]
    """
    if not slope > 0:
        raise ValueError(f"slope is {slope}; it must be positive")
    _check_probability("start", start)
    _check_probability("floor", floor)
    return lambda step: ops.maximum(floor, start - slope * ops.cast(step, "float32"))


def exponential(k: float) -> Schedule:
    """Return the schedule epsilon_i = k^i.

    Raises:
        ValueError: If k is not in (0, 1).

    Source:
        Bengio et al. 2015, 2.4.

    Example:
        >>> [round(float(exponential(0.5)(i)), 3) for i in (0, 1, 3)]
        [1.0, 0.5, 0.125]
    """
    if not 0 < k < 1:
        raise ValueError(f"k is {k}; exponential decay needs 0 < k < 1")
    return lambda step: k ** ops.cast(step, "float32")


def inverse_sigmoid(k: float) -> Schedule:
    """Return the schedule epsilon_i = k / (k + exp(i / k)): about 1 until i is a few times k.

    Raises:
        ValueError: If k is less than 1.

    Source:
        Bengio et al. 2015, 2.4.

    Example:
        >>> [round(float(inverse_sigmoid(10)(i)), 3) for i in (0, 23, 100)]
        [0.909, 0.501, 0.0]
    """
    if not k >= 1:
        raise ValueError(f"k is {k}; inverse sigmoid decay needs k >= 1")
    # Written as a sigmoid, which doesn't overflow.
    return lambda step: ops.sigmoid(ops.log(float(k)) - ops.cast(step, "float32") / k)


def scheduled_sampling(
    step: Step,
    tokens: Tensor,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    probability: Tensor,
    seed: Seed,
) -> Tensor:
    """Compute the log-probabilities of each step, fed with gold or sampled tokens.

        y'_t = y_t with probability epsilon, otherwise y'_t ~ p(y | y'_1 ... y'_{t-1})

    Probability 1 is teacher forcing; with probability 0 the model is free-running. Gradients flow
    through every step's probabilities and states, but not through the sampled tokens.

    Args:
        step: `step(tokens (batch,) int32, state, constants) -> (log_probabilities (batch,
            vocabulary), state)`, as in `seqkit.decoding`.
        tokens: y (batch, time) int32; padding on the right, which the loss must mask.
        state: The state before the first step, as in `seqkit.decoding.greedy`.
        constants: What every step reads, as in `seqkit.decoding.greedy`.
        bos_id: The first step's input token.
        probability: epsilon in [0, 1], a number or a scalar tensor: a schedule of the training
            step. The choice is made for each token separately.
        seed: An int, a `keras.random.SeedGenerator`, or a tensor of two ints.

    Returns:
        (batch, time, vocabulary) float32: at each time step the distribution of its token.

    Raises:
        ValueError: If an argument is invalid, or a step changes the structure or the dtypes of the
            state.

    Source:
        Bengio et al. 2015, 2.3-2.4.

    Example:
        >>> import numpy as np
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
        >>> log_p = scheduled_sampling(
        ...     step, np.ones((2, 3), int), np.zeros((2, 1)), bos_id=0, probability=0.5, seed=1)
        >>> tuple(log_p.shape)
        (2, 3, 5)
    """
    tokens = ops.convert_to_tensor(tokens)
    check_tokens(tokens, None, rows.as_tensors(state), "scheduled_sampling")
    if isinstance(probability, numbers.Real):
        _check_probability("probability", probability)
    uniforms = uniform((*reversed(ops.shape(tokens)), 2), seed)  # (time, batch, 2)

    def gold_or_sampled(gold: Tensor, log_p: Tensor, uniforms: Tensor) -> Tensor:
        sampled = draw(ops.stop_gradient(log_p), uniforms[:, 0])
        return ops.where(uniforms[:, 1] < probability, gold, sampled)

    log_p = unroll(
        step,
        tokens,
        state,
        constants,
        bos_id=bos_id,
        next_input=gold_or_sampled,
        emit=lambda gold, log_p: log_p,
        per_step=(uniforms,),
    )
    return ops.transpose(log_p, (1, 0, 2))


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}; it must be in [0, 1]")
