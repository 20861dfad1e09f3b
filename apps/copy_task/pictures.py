"""Pictures: a sequence with its copy and the heads' weightings, and errors by length."""

import re
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from apps.common.errors import UserError
from apps.common.pictures import heat_map, horizontal_grid, new_axes, new_figure
from apps.copy_task.config import Config

USED = 0.05  # a slot with less weight than this at all times is not shown
MARGIN = 2  # slots shown on either side of those that are used


def copying(
    target: np.ndarray,
    probabilities: np.ndarray,
    weightings: Mapping[str, np.ndarray],
    title: str,
) -> Figure:
    """Draw how a sequence is copied, as stacked panels with a shared time axis.

    Args:
        target: Bits (length, bits), both the input and the target.
        probabilities: Predicted probabilities of a 1, (length, bits).
        weightings: Name -> (2 length + 2, heads, slots), one panel per head; may be empty.
        title: Title of the picture.
    """
    length, bits = target.shape
    # The steps are: start marker, the bits, end marker, the copy.
    blank, mark = np.full((length + 2, bits), np.nan), np.full((1, bits), np.nan)
    panels = {
        "input, target": np.concatenate([mark, target, mark, target]),
        "output": np.concatenate([blank, probabilities]),
        "error": np.concatenate([blank, np.abs(target - probabilities)]),
    }
    slots = _shown(list(weightings.values()))
    heads = sum(weighting.shape[1] for weighting in weightings.values())
    heights = [bits] * 3
    for name, weighting in weightings.items():
        for head in range(weighting.shape[1]):
            number = f" {head + 1}" if weighting.shape[1] > 1 else ""
            panels[name + number] = weighting[:, head, slots]
            heights.append(max(12, min(len(slots), 80 // heads)))

    figure = new_figure(min(max(5 + 0.12 * length, 8), 14), 1.5 + 0.11 * sum(heights))
    figure.suptitle(title)
    axes = figure.subplots(len(panels), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for (name, values), ax in zip(panels.items(), axes, strict=True):
        image = heat_map(ax, values.T)
        ax.set_ylabel(name)
        for step in (0, length + 1):
            ax.axvline(step, color="tab:red", linewidth=1, linestyle=":")
    for ax in axes[:3]:
        ax.set_yticks([0, bits - 1], ["1", str(bits)])
    for ax in axes[3:]:
        # Single ticks: the slots form a circle, and those shown may wrap around to the first slot.
        spacing = next(n for n in (1, 2, 5, 10, 20, 50, len(slots)) if len(slots) / n <= 7)
        ticks = np.flatnonzero(slots % spacing == 0)
        ax.set_yticks(ticks, [str(slots[i]) for i in ticks])
    axes[0].secondary_xaxis("top").set_xticks([0, length + 1], ["start", "end"])
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(10, integer=True))
    figure.colorbar(image, ax=list(axes), label="bit, probability, weight", aspect=40, pad=0.01)
    return figure


def length_curve(curves: Mapping[str, Mapping[int, float]], trained_to: int) -> Figure:
    """Plot the bit errors by length.

    Args:
        curves: Name -> length -> mean wrong bits per sequence.
        trained_to: Longest training length.
    """
    ax = new_axes()
    ax.axvspan(0, trained_to, color="0.92", label=f"trained: up to {trained_to}")
    for name, curve in curves.items():
        ax.plot(*zip(*sorted(curve.items()), strict=True), marker=".", label=name)
    ax.set_yscale("symlog", linthresh=0.1)  # 0 has no logarithm
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_ylim(bottom=-0.01)
    ax.set_xlim(left=0)
    ax.set_xticks(sorted({length for curve in curves.values() for length in curve}))
    ax.set_xlabel("length of the sequence")
    ax.set_ylabel("wrong bits per sequence")
    horizontal_grid(ax)
    ax.figure.legend(loc="outside right upper", frameon=False)
    return ax.figure


def compare(results: Mapping[str, dict]) -> Figure:
    """Plot the bit errors by length for several evaluations: the command `compare`.

    Raises:
        UserError: If a result has no bit errors by length.
    """
    curves = {}
    for name, row in results.items():
        curves[name] = {
            int(found[1]): value
            for key, value in row["scores"].items()
            if (found := re.fullmatch(r"bit_errors_(\d+)", key))
        }
        if not curves[name]:
            raise UserError(f"{name}: no bit errors by length; evaluate a split, not a file")
    return length_curve(curves, trained_to=Config().max_length)


def _shown(weightings: list[np.ndarray]) -> np.ndarray:
    """Return the used slots and a margin, in circular order, starting after the largest gap.

    Example:
        >>> weighting = np.zeros((1, 1, 10))
        >>> weighting[..., [9, 1]] = 1
        >>> _shown([weighting]).tolist()
        [7, 8, 9, 0, 1, 2, 3]
    """
    if not weightings:
        return np.arange(0)
    used = np.flatnonzero(np.max([w.max(axis=(0, 1)) for w in weightings], axis=0) > USED)
    slots = weightings[0].shape[-1]
    if not used.size:
        return np.arange(slots)
    gaps = np.diff(used, append=used[0] + slots)
    last = int(gaps.argmax())
    count = slots - gaps[last] + 1 + 2 * MARGIN
    if count >= slots:
        return np.arange(slots)
    first = used[(last + 1) % len(used)] - MARGIN
    return np.arange(first, first + count) % slots
