"""Checks of scores, masks, tags and constraints; each error is one line."""

import keras
import numpy as np
from keras import ops

from seqkit.backend import is_concrete
from seqkit.checks import check_numbers, invalid
from seqkit.typing import Shape, Tensor

IMPOSSIBLE = -1e9  # too low for any sum of scores to outweigh; unlike -inf, never makes a NaN
_CONSTRAINTS = "give what transition_constraints(names_of_tags) returns"


def check_scores(scores: Tensor, owner: str) -> Tensor:
    """Return scores (batch, time, tags) with a known number of tags as a tensor."""
    check_numbers("scores", scores, owner)
    scores = scores if hasattr(scores, "shape") else ops.convert_to_tensor(scores)
    check_scores_shape(tuple(scores.shape), owner)
    return scores


def check_scores_shape(shape: Shape, owner: str, tags: int | None = None) -> None:
    """Raise a ValueError unless a shape is (batch, time, tags)."""
    if len(shape) != 3 or shape[-1] is None:
        raise invalid(
            owner,
            f"scores have shape {shape}; they must be (batch, time, tags), e.g. from "
            f"Dense({tags or 'tags'}) after RNN(cell, return_sequences=True)",
        )
    if tags is not None and shape[-1] != tags:
        raise invalid(
            owner,
            f"scores have shape {shape}; there are {tags} tags: the last dimension must be "
            f"{tags}, e.g. from Dense({tags})",
        )


def check_weight(name: str, weight: Tensor, rank: int, tags: int) -> Tensor:
    """Return transitions, or scores of starting or ending, as a tensor."""
    check_numbers(name, weight, "log_potentials")
    weight = ops.convert_to_tensor(weight)
    shape = tuple(weight.shape)
    if shape not in ((), (tags,) * rank):
        raise invalid(
            "log_potentials", f"{name} has shape {shape}; {tags} tags need {(tags,) * rank}"
        )
    return weight


def check_mask(mask: Tensor, scores: Tensor, owner: str) -> Tensor:
    """Return a mask (batch, time) as bools."""
    check_numbers("mask", mask, owner)
    mask = ops.cast(mask, "bool")
    check_steps("mask", mask, scores, owner)
    return ops.reshape(mask, ops.shape(scores)[:2])  # fails where unknown sizes differ


def check_tags(tags: Tensor, potentials: Tensor, owner: str) -> Tensor:
    """Return tags (batch, time) as ints of 32 bits or more, or as floats.

    Keras passes the tags to a loss as floats, so floats that are whole numbers are accepted.
    """
    tags = ops.convert_to_tensor(tags)
    dtype = keras.backend.standardize_dtype(tags.dtype)
    if not any(kind in dtype for kind in ("int", "float")):
        raise invalid(owner, f"tags are {dtype}; they must be ints (batch, time), e.g. int32")
    if len(tags.shape) == 3:
        raise invalid(
            owner,
            f"tags have shape {tuple(tags.shape)}; they must be ints (batch, time): pass "
            + ("ops.squeeze(tags, -1)" if tags.shape[-1] == 1 else "ops.argmax(one_hot, -1)"),
        )
    check_steps("tags", tags, potentials, owner)
    if dtype in ("int8", "uint8", "int16", "uint16"):  # the number of tags may not fit
        tags = ops.cast(tags, "int32")
    return ops.reshape(tags, ops.shape(potentials)[:2])  # fails where unknown sizes differ


def check_weights(weights: Tensor, potentials: Tensor) -> Tensor:
    """Return weights (batch,) or (batch, time) as float32; (batch, 1) are one per sequence."""
    weights = ops.cast(weights, "float32")
    if len(weights.shape) == 2 and weights.shape[1] == 1:
        weights = ops.squeeze(weights, axis=1)
    if len(weights.shape) == 1:
        batch = potentials.shape[0]
        if None not in (weights.shape[0], batch) and weights.shape[0] != batch:
            raise invalid(
                "CRFLoss and CRFAccuracy",
                f"the sample_weight has shape {tuple(weights.shape)}; there are {batch} sequences",
            )
        return weights
    check_steps("sample_weight", weights, potentials, "CRFLoss and CRFAccuracy")
    return ops.reshape(weights, ops.shape(potentials)[:2])


def which_are_tags(tags: Tensor, real: Tensor, count: int, owner: str) -> Tensor:
    """Return which of `tags` (batch, time) are whole numbers in [0, count).

    Raises:
        ValueError: If one at a real step isn't, where values are known: outside of graphs.
    """
    in_range = ops.logical_and(tags >= 0, tags < count)
    is_tag = ops.logical_and(in_range, ops.cast(ops.cast(tags, "int32"), tags.dtype) == tags)
    if is_concrete(is_tag) and is_concrete(real):
        wrong = ~ops.convert_to_numpy(is_tag) & ops.convert_to_numpy(real)
        if wrong.any():
            raise invalid(
                owner,
                f"tags contain {ops.convert_to_numpy(tags)[wrong][0]}; the tags of real steps must "
                f"be ints in [0, {count}), one for each of the {count} tags of the potentials",
            )
    return is_tag


def check_possible(scores: Tensor, path: Tensor, owner: str) -> None:
    """Raise a ValueError if gold tags are forbidden, where values are known: outside of graphs.

    Args:
        scores: Scores or log-probabilities of the gold tags, (time, batch).
        path: The tags, (time + 1, batch), with a 0 before the first step.
        owner: Function that the error names.
    """
    if not is_concrete(scores):
        return
    scores = ops.convert_to_numpy(scores).T
    forbidden = np.argwhere(np.isfinite(scores) & (scores < IMPOSSIBLE / 2))
    if len(forbidden):
        row, step = forbidden[0].tolist()
        tag = ops.convert_to_numpy(path)[step + 1, row]
        raise invalid(
            owner,
            f"the constraints forbid tag {tag} at step {step} of sequence {row}, after the tag "
            "before it or at the start or end; correct the tags (IOB1 must be converted to BIO), "
            "or leave out the constraints of CRF",
        )


def check_constraints(constraints: dict | None, tags: int) -> dict[str, list] | None:
    """Return constraints as nested lists, which a configuration can hold."""
    if constraints is None:
        return None
    shapes = {"transitions": (tags, tags), "start": (tags,), "end": (tags,)}
    if not isinstance(constraints, dict):
        raise invalid(
            "CRF",
            f"constraints are a {type(constraints).__name__}; they must be a dict with "
            f"{', '.join(shapes)}: {_CONSTRAINTS}",
        )
    if set(constraints) != set(shapes):
        raise invalid(
            "CRF",
            f"constraints have the keys {[*constraints]}; they must be {[*shapes]}: {_CONSTRAINTS}",
        )
    return {name: _bools(name, constraints[name], shape) for name, shape in shapes.items()}


def _bools(name: str, values: list | np.ndarray, shape: tuple) -> list:
    try:
        values = np.asarray(values)
    except ValueError:
        raise invalid(
            "CRF", f"the rows of constraints[{name!r}] differ in length: {_CONSTRAINTS}"
        ) from None
    if values.shape != shape:
        raise invalid(
            "CRF",
            f"constraints[{name!r}] has shape {values.shape}; {shape[0]} tags need {shape}: "
            f"{_CONSTRAINTS}",
        )
    if values.dtype != bool:
        raise invalid(
            "CRF",
            f"constraints[{name!r}] contains {values.dtype}; it must be bools, True = "
            f"allowed: {_CONSTRAINTS}",
        )
    return values.tolist()


def check_steps(name: str, x: Tensor, sequence: Tensor, owner: str) -> None:
    """Raise a ValueError unless x is (batch, time) like the first two axes of the sequence."""
    shape, steps = tuple(x.shape), tuple(sequence.shape[:2])
    fits = len(shape) == 2 and all(
        None in (one, other) or one == other for one, other in zip(shape, steps, strict=True)
    )
    if not fits:
        raise invalid(
            owner,
            f"{name} have shape {shape}; they must be (batch, time), here {steps}"
            if name == "tags"
            else f"the {name} has shape {shape}; it must be (batch, time), here {steps}",
        )
