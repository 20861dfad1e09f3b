"""One chain a row: the most probable token at each step, or one drawn by chance."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqkit.decoding import rows
from seqkit.decoding.lengths import Length
from seqkit.decoding.sampling import draw, top_k_filter, top_p_filter, uniform
from seqkit.typing import Nest, Seed, Tensor

Step = Callable[[Any, Any, Any], tuple[Any, Any]]


class Decoded(NamedTuple):
    """What decoding found; from `beam_search`, with an axis (num_results,) behind the batch."""

    tokens: Tensor  # (batch, max_length) int32, behind the last one pad_id
    lengths: Tensor  # (batch,) int32, of the chain: an end symbol counts
    log_likelihoods: Tensor  # (batch,) float32, log p(chain): of its tokens and of its length
    scores: Tensor  # (batch,) float32, what chains are ranked by; without penalties the same
    ended: Tensor  # (batch,) bool; False: cut at max_length
    attention: (
        Tensor  # (batch, max_length, source) float32, zeros behind the last; None if not asked
    )


def greedy(
    step: Step,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    length: Length,
    max_length: int,
    pad_id: int = 0,
    attention: Callable[[Any], Any] | None = None,
    drop_ended: bool = False,
) -> Decoded:
    """The most probable token at each step.

        y_t = argmax_y p(y | y_1 ... y_{t-1})

    Args:
        step: `step(tokens (rows,) int32, state, constants) -> (log_probabilities (rows,
            vocabulary), state)`, pure.
        state: before the first step, a nest of tensors with one row a chain.
        constants: a nest of tensors, or None, that each step reads and none writes.
        bos_id: the token that the first step gets.
        length: how a chain chooses its length: `EndSymbol(eos_id)`, `BernoulliStop(logits)` (ends
            where that is the likelier) or `PredictedLength(lengths)`.
        max_length: chains are cut there.
        pad_id: fills the tokens behind a chain's last one.
        attention: of a state, the weights (rows, source) of the step that returned it.
        drop_ended: whenever half of the rows have ended, go on with the others alone: the same
            answer, sooner where lengths differ. Shapes then change from step to step, so that in a
            graph the batch must be of open size (None); neither XLA nor JAX can do it.

    Returns:
        `Decoded`. Steps end when all chains have.

    Raises:
        ValueError: if a step changes the structure or the dtypes of the state.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import EndSymbol, greedy
        >>> chain = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]], "float32"))
        >>> step = lambda tokens, state, constants: (ops.take(chain, tokens, axis=0), state)
        >>> found = greedy(step, np.zeros((1, 1)), bos_id=0, length=EndSymbol(2), max_length=4)
        >>> np.asarray(found.tokens).tolist(), np.asarray(found.lengths).tolist()
        ([[1, 2, 0, 0]], [2])
    """

    def choose(t: Tensor, log_p: Tensor) -> Tensor:
        return ops.cast(ops.argmax(log_p, axis=-1), "int32")

    def ends(t: Tensor, go_on: Tensor, end: Tensor) -> Tensor:
        return end >= go_on

    chain = bos_id, length, max_length, pad_id
    return _generate(step, state, constants, choose, ends, *chain, attention, drop_ended)


def sample(
    step: Step,
    state: Nest,
    constants: Nest = None,
    *,
    bos_id: int,
    length: Length,
    max_length: int,
    seed: Seed,
    temperature: Tensor = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    pad_id: int = 0,
    attention: Callable[[Any], Any] | None = None,
) -> Decoded:
    """A token drawn at each step.

        y_t ~ p(y | y_1 ... y_{t-1})^(1 / temperature), among those that top_k, then top_p leave

    Args:
        seed: an int, a `keras.random.SeedGenerator`, or a tensor of two ints.
        temperature: > 0; the lower, the nearer to `greedy`. A number or a scalar tensor. Whether
            a chain ends is drawn at temperature 1, unless an end symbol says it.
        top_k: draw from the k most probable tokens.   top_p: from the nucleus of mass p.

        The others are those of `greedy`.

    Returns:
        `Decoded`; its log-likelihood is the model's own, whatever the filters.

    Raises:
        ValueError: if temperature, top_k or top_p is out of its range.

    Example:
        >>> import numpy as np
        >>> from seqkit.decoding import PredictedLength, sample
        >>> step = lambda tokens, state, constants: (ops.log_softmax(ops.ones((2, 5))), state)
        >>> three = PredictedLength(np.array([3, 1]))
        >>> found = sample(step, np.zeros((2, 1)), bos_id=0, length=three, max_length=4, seed=1)
        >>> np.asarray(found.lengths).tolist()
        [3, 1]
    """
    if isinstance(temperature, (int, float)) and temperature <= 0:
        raise ValueError(f"temperature is {temperature}; it must be positive (or use greedy)")
    by_chance = uniform((max_length, rows.count(state, constants), 2), seed)

    def choose(t: Tensor, log_p: Tensor) -> Tensor:
        log_p = log_p / temperature
        if top_k is not None:
            log_p = top_k_filter(log_p, top_k)
        if top_p is not None:
            log_p = top_p_filter(log_p, top_p)
        return draw(log_p, by_chance[t][:, 0])

    def ends(t: Tensor, go_on: Tensor, end: Tensor) -> Tensor:
        return by_chance[t][:, 1] < ops.exp(end)

    chain = bos_id, length, max_length, pad_id
    return _generate(step, state, constants, choose, ends, *chain, attention)


def _generate(
    step: Step,
    state: Nest,
    constants: Nest,
    choose: Callable,
    ends: Callable,
    bos_id: int,
    length: Length,
    max_length: int,
    pad_id: int,
    attention: Callable | None,
    drop_ended: bool = False,
) -> Decoded:
    batch = rows.count(state, constants)
    state, constants = rows.tensors(state), rows.tensors(constants)
    # The chains that go on, and which of the batch each is.
    chains = {
        "at": ops.arange(batch, dtype="int32"),
        "state": state,
        "last": ops.full((batch,), bos_id, "int32"),
        "ended": ops.zeros((batch,), "bool"),
    }
    if drop_ended:  # what all steps read gets fewer rows, too
        chains["constants"] = rows.leaves(constants)
    # Step by step, of the whole batch.
    steps = {
        "tokens": ops.full((max_length, batch), pad_id, "int32"),
        "gains": ops.zeros((max_length, batch), "float32"),
        "live": ops.zeros((max_length, batch), "bool"),
        "stops": ops.zeros((max_length, batch), "bool"),
    }
    if attention is not None:
        steps["attention"] = ops.zeros((max_length, *ops.shape(attention(state))), "float32")

    def one_step(t: Tensor, chains: dict, steps: dict) -> tuple[Tensor, dict, dict]:
        at, read, length_of = None, constants, length  # of all rows, in their order
        if drop_ended:
            few, left = rows.few_left(ops.logical_not(chains["ended"]))
            chains = ops.cond(few, lambda: rows.take(chains, left), lambda: chains)
            at = chains["at"]
            read = rows.with_leaves(constants, chains["constants"])
            length_of = length.taken(at)
        live = ops.logical_not(chains["ended"])
        log_p, state = step(chains["last"], chains["state"], read)
        log_p = ops.cast(log_p, "float32")
        tokens = choose(t, log_p)
        go_on, end = (v[:, 0] for v in length_of.after(tokens[:, None], state, t))
        stops = ends(t, go_on, end)
        gain = ops.take_along_axis(log_p, tokens[:, None], axis=1)[:, 0]
        new = {
            "tokens": ops.where(live, tokens, pad_id),
            "gains": ops.where(live, gain + ops.where(stops, end, go_on), 0.0),
            "live": live,
            "stops": ops.logical_and(live, stops),
        }
        if attention is not None:
            weights = ops.cast(attention(state), "float32")
            new["attention"] = ops.where(live[:, None], weights, 0.0)
        chains = {
            **chains,
            "state": rows.like(chains["state"], state),
            "last": tokens,
            "ended": ops.logical_or(chains["ended"], stops),
        }
        return t + 1, chains, {k: rows.put(steps[k], t, v, at) for k, v in new.items()}

    def goes_on(t: Tensor, chains: dict, steps: dict) -> Tensor:
        return ops.logical_and(t < max_length, ops.logical_not(ops.all(chains["ended"])))

    t = ops.convert_to_tensor(0, "int32")
    _, _, found = ops.while_loop(goes_on, one_step, (t, chains, steps))
    log_likelihoods = ops.sum(found["gains"], axis=0)
    return Decoded(
        tokens=ops.transpose(found["tokens"]),
        lengths=ops.sum(ops.cast(found["live"], "int32"), axis=0),
        log_likelihoods=log_likelihoods,
        scores=log_likelihoods,
        ended=ops.any(found["stops"], axis=0),
        attention=None if attention is None else ops.transpose(found["attention"], (1, 0, 2)),
    )
