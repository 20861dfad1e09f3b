"""A recurrence with its own gradient: back-propagation through time (Deep Learning, 10.2.2)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from keras import ops, tree

from seqkit import backend
from seqkit.ops import apply_mask, where_rows
from seqkit.typing import Mask, Nest, States, Tensor


class Gates(Protocol):
    """The elementwise part of a step, and its derivative; hashable."""

    def forward(self, x: Tensor, r: Tensor, states: States) -> tuple[States, Nest]:
        """Compute the new states, and what `backward` needs.

        x is U x_t + b, r is W h_{t-1} (+ d), both (batch, width); the first of the states is h.
        """

    def backward(
        self, d_states: States, saved: Nest, states: States
    ) -> tuple[Tensor, Tensor, States]:
        """Compute the gradients of x, of r, and of the states before the step with r held fixed.

        If the first two are equal, they are the same object.
        """


class Flow(NamedTuple):
    """Which steps are real (None: all), and which start a new segment (None: none); time first."""

    mask: Mask = None  # (time, batch) bool
    restart: Mask = None  # (time, batch) bool; False where the mask is
    initial: States | None = None  # where a segment starts from


class _Arguments(NamedTuple):
    """The differentiable arguments; a list is empty if its argument is missing."""

    x: Tensor
    states: States
    initial: States
    W: Tensor
    d: list[Tensor]


_plain = False


@contextmanager
def plain_loops() -> Iterator[None]:
    """Run recurrences step by step, as when they don't train; `RNN` looks as it is traced.

    Needed for gradients of gradients and for forward-mode differentiation, which the faster loops
    of training don't have.

    Example:
        >>> import numpy as np
        >>> from seqkit import RNN, LSTMCell, plain_loops
        >>> rnn = RNN(LSTMCell(2))
        >>> with plain_loops():
        ...     tuple(rnn(np.zeros((1, 3, 2)), training=True).shape)
        (1, 2)
    """
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


def loops_are_plain() -> bool:
    """Return whether `plain_loops` is active."""
    return _plain


def unfold(
    gates: Gates,
    projected: Tensor,
    states: States,
    flow: Flow,
    W: Tensor,
    d: Tensor | None = None,
    dropout: Tensor | None = None,
) -> tuple[Tensor, Tensor, States]:
    """Run states = gates(x_t, W h + d, states) over time.

    The loop forward keeps what the loop backward needs, and the gradient of W is one product after
    both. Numbers of 16 bits are computed in float32; large products stay in 16 bits.

    Args:
        gates: The elementwise part of a step.
        projected: U x + b of all steps, (time, batch, width).
        states: The states before the first step, each (batch, units); the first is h.
        flow: Which steps are real, and which start a new segment.
        W: (units, width).
        d: A bias of W h, (width,).
        dropout: A mask that multiplies h in W h, (batch, units).

    Returns:
        Every h (time, batch, units), where a masked step repeats the last (zeros, if there is
        none), the h of the last real step, and the last states.

    Source:
        Goodfellow et al. 2016, eq. 10.20-10.28.
    """
    dtype = projected.dtype
    arguments = _Arguments(
        projected, list(states), list(flow.initial or []), W, [] if d is None else [d]
    )
    # All sequences know as much of their shape as x does: it decides on the parts of the batch.
    steps = ops.shape(projected)[:2]
    fixed = {
        "mask": () if flow.mask is None else ops.reshape(flow.mask, steps),
        "restart": () if flow.restart is None else ops.reshape(flow.restart, steps),
    }
    dropout = () if dropout is None else _precise(dropout)

    @backend.custom_gradient
    def run(*flat: Tensor) -> tuple[list[Tensor], Callable]:
        x, states, initial, W, d = tree.pack_sequence_as(
            arguments, [_precise(value) for value in flat]
        )
        (outputs, h), (last, final), kept = backend.side_by_side(
            _forward,
            gates,
            {"x": x, **fixed},
            {"states": states, "initial": initial, "dropout": dropout},
            {"W": W, "d": d},
        )

        def gradient(*d_results: Tensor) -> list[Tensor]:
            d_outputs, d_last, *d_final = [_precise(value) for value in d_results]
            d_outputs = ops.reshape(d_outputs, (*steps, W.shape[0]))
            (dx, dr), (d_states, d_initial), _ = backend.side_by_side(
                _backward,
                gates,
                {"d_outputs": d_outputs, **fixed},
                {"d_output": d_last, "d_states": list(d_final), "dropout": dropout},
                {"WT": ops.transpose(W)},
                kept,
            )
            dr = dx if isinstance(dr, tuple) else dr
            dW = _sum_of_outer_products(ops.cast(h, dtype), ops.cast(dr, dtype))
            dd = [ops.sum(dr, axis=(0, 1))] if d else []
            gradients = _Arguments(dx, d_states, d_initial if initial else [], dW, dd)
            return [
                ops.cast(g, value.dtype)
                for g, value in zip(tree.flatten(gradients), flat, strict=True)
            ]

        return [ops.cast(result, dtype) for result in (outputs, last, *final)], gradient

    outputs, last, *final = run(*tree.flatten(arguments))
    return outputs, last, final


def _forward(
    gates: Gates, sequences: dict, rows: dict, shared: dict, kept: tuple, length: Tensor | None
) -> tuple[tuple, tuple, tuple]:
    """Run the steps: (outputs, h of each W h), (last output, states), what `_backward` needs."""
    masked = _given(sequences["mask"])

    def step(before: tuple, now: dict) -> tuple[tuple, tuple]:
        states, output = before
        if _given(now["restart"]):
            states = where_rows(now["restart"], rows["initial"], states)
        h = apply_mask(states[0], rows["dropout"] if _given(rows["dropout"]) else None)
        r = sum(shared["d"], ops.matmul(h, shared["W"]))
        after, saved = gates.forward(now["x"], r, states)
        output_after = after[0]
        if masked:
            after, output_after = where_rows(now["mask"], (after, after[0]), (states, output))
        return (after, output_after if masked else ()), (output_after, h, saved, states)

    no_output = ops.zeros_like(rows["states"][0]) if masked else ()
    (states, output), (outputs, h, *kept) = backend.scan(
        step, (rows["states"], no_output), sequences, length=length
    )
    return (outputs, h), (output if masked else states[0], states), tuple(kept)


def _backward(
    gates: Gates, sequences: dict, rows: dict, shared: dict, kept: tuple, length: Tensor | None
) -> tuple[tuple, tuple, tuple]:
    """Run the steps back: (dx, dr or () if they are equal), (d_states, d_initial), nothing."""
    masked, restarts = _given(sequences["mask"]), _given(sequences["restart"])
    zeros = ops.zeros_like

    def step(after: tuple, inputs: tuple) -> tuple[tuple, tuple]:
        (d_h, *others), d_repeated, d_initial = after
        now, saved, states = inputs
        d_output = now["d_outputs"] + d_repeated if masked else now["d_outputs"]
        dx, dr, d_before = gates.backward([d_h + d_output, *others], saved, states)
        d_h_before = apply_mask(
            ops.matmul(dr, shared["WT"]), rows["dropout"] if _given(rows["dropout"]) else None
        )
        d_before = [d_before[0] + d_h_before, *d_before[1:]]
        d_inputs = (dx, () if dr is dx else dr)
        if masked:  # the step changes no state and repeats the output before it
            d_before, d_inputs, d_repeated = where_rows(
                now["mask"],
                (d_before, d_inputs, zeros(d_output)),
                ([d_h, *others], tree.map_structure(zeros, d_inputs), d_output),
            )
        if restarts:
            none = tree.map_structure(zeros, d_before)
            restarted = where_rows(now["restart"], d_before, none)
            d_initial = [a + b for a, b in zip(d_initial, restarted, strict=True)]
            d_before = where_rows(now["restart"], none, d_before)
        return (d_before, d_repeated, d_initial), d_inputs

    d_initial = [zeros(s) for s in rows["d_states"]] if restarts else []
    if masked:
        carry = (rows["d_states"], rows["d_output"], d_initial)
    else:  # the last output is the last h
        d_h, *others = rows["d_states"]
        carry = ([d_h + rows["d_output"], *others], (), d_initial)
    (d_states, _, d_initial), d_inputs = backend.scan(
        step, carry, (sequences, *kept), reverse=True, length=length
    )
    return d_inputs, (d_states, d_initial), ()


def _given(x: Nest) -> bool:
    return not isinstance(x, tuple)


def _precise(x: Tensor) -> Tensor:
    """Return numbers of 16 bits as float32, others as they are."""
    return ops.cast(x, "float32") if "16" in str(x.dtype) else x


def _sum_of_outer_products(a: Tensor, b: Tensor) -> Tensor:
    """Sum a^T b over time and rows: (time, batch, n), (time, batch, m) -> (n, m)."""
    a, b = (ops.reshape(v, (-1, v.shape[-1])) for v in (a, b))
    return ops.matmul(ops.transpose(a), b)
