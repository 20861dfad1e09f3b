"""Checks of what decoding functions are given; the errors name the function and the remedy."""

import numbers
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from seqkit import backend
from seqkit.checks import check_numbers, check_shape, invalid, static_shape
from seqkit.decoding import rows
from seqkit.decoding.lengths import EndSymbol, Length, PredictedLength
from seqkit.ops import sum_leading
from seqkit.typing import Mask, Nest, Tensor

TOLERANCE = 0.01  # of log sum p: numbers of 16 bits are rough
POSITIVE = 1e30  # stands for a positive log-probability in a sum, which stays positive


def checked(
    owner: str, step: Any, state: Nest, constants: Nest, *, bos_id: int, length: Length | None
) -> tuple[Nest, Nest]:
    """Return state and constants as tensors, if they and the other arguments are valid."""
    if not callable(step):
        raise invalid(
            owner,
            f"step is a {type(step).__name__}; it must be a function",
        )
    if not _is_int(bos_id) or bos_id < 0:
        raise invalid(owner, f"bos_id is {bos_id!r}; it must be a token id, an int of 0 or more")
    _check_rows(state, constants, owner)
    state, constants = rows.as_tensors(state), rows.as_tensors(constants)
    if length is not None and not hasattr(length, "log_probs"):
        end = int(length) if _is_int(length) else "eos_id"
        raise invalid(
            owner,
            f"length is {length!r}; it must be a stopping rule: EndSymbol({end}), "
            "BernoulliStop(logits) or PredictedLength(lengths)",
        )
    if isinstance(length, PredictedLength):
        check_shape("lengths", length.lengths, {"batch": _count(state, constants)}, owner)
    return state, constants


def check_log_probs(log_p: Tensor, tokens: Tensor, length: Length | None) -> Tensor:
    """Return what a step returned, (rows, vocabulary), in float32.

    Raises:
        ValueError: If it has another shape or, where its values are known, sums to more than 1.
    """
    axes = {"rows": static_shape(tokens)[0], "vocabulary": None}
    check_shape("the log-probabilities", log_p, axes, "step")
    if not keras.backend.is_float_dtype(_dtype(log_p)):
        raise invalid("step", f"returned {log_p.dtype}; log-probabilities are floats")
    vocabulary = log_p.shape[-1]
    if isinstance(length, EndSymbol) and not 0 <= length.eos_id < vocabulary:
        raise invalid("EndSymbol", f"eos_id is {length.eos_id}; step has {vocabulary} tokens")
    log_p = ops.cast(log_p, "float32")
    if backend.is_concrete(log_p):
        log_sum = np.max(ops.convert_to_numpy(ops.logsumexp(log_p, axis=-1)), initial=-np.inf)
        if log_sum > TOLERANCE:
            raise invalid(
                "step",
                f"returned numbers whose exponentials sum to {np.exp(log_sum):.4g}, not 1; they "
                "must be log-probabilities, e.g. keras.ops.log_softmax(logits)",
            )
    return log_p


def check_tokens(tokens: Tensor, mask: Mask, state: Nest, owner: str) -> None:
    """Raise a ValueError if tokens or mask are not (batch, time), or tokens no integers.

    Their batch is that of the state.
    """
    if len(tokens.shape) != 2 or not keras.backend.is_int_dtype(_dtype(tokens)):
        raise invalid(
            owner,
            f"tokens are {_dtype(tokens)} {tuple(tokens.shape)}; they must be ints (batch, time)",
        )
    count = None if not rows.leaves(state) else static_shape(rows.leaves(state)[0])[0]
    check_shape("tokens", tokens, {"batch": count, "time": None}, owner)
    if mask is not None:
        check_numbers("mask", mask, owner)
        check_shape("mask", mask, dict(zip(("batch", "time"), tokens.shape, strict=True)), owner)


def likelihoods(log_p: Tensor) -> Tensor:
    """Sum log-probabilities (time, rows) over time; NaN where one is positive, or the sum is."""
    (log_p,) = positive_to_nan(log_p)
    return positive_to_nan(sum_leading(log_p))[0]


def positive_to_nan(log_p: Tensor, *more: Tensor) -> list[Tensor]:
    """Set log_p and what depends on it to NaN where log_p is positive, and so can't be right."""
    return [ops.where(log_p > TOLERANCE, float("nan"), x) for x in (log_p, *more)]


def _check_rows(state: Nest, constants: Nest, owner: str) -> None:
    count = None
    for leaf in tree.flatten((state, constants)):
        if isinstance(leaf, keras.KerasTensor):
            raise invalid(
                owner,
                "its loop can't run over the symbolic tensors of a functional model; use the layer "
                "seqkit.decoding.BeamSearch in the model",
            )
        shape = None if leaf is None else static_shape(leaf)
        if shape == ():
            raise invalid(owner, "state and constants hold a scalar; every tensor needs rows first")
        if shape and None not in (count, shape[0]) and shape[0] != count:
            raise invalid(
                owner,
                f"state and constants have {count} and {shape[0]} rows; every tensor needs one row "
                "per sequence",
            )
        count = shape[0] if shape and count is None else count


def _count(state: Nest, constants: Nest) -> int | None:
    return static_shape(rows.leaves((state, constants))[0])[0]


def _dtype(x: Tensor) -> str:
    return keras.backend.standardize_dtype(x.dtype)


def _is_int(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
