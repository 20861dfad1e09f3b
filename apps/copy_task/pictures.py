"""Pictures: what a model does with a sequence, and its errors by length."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from apps.common.checkpoint import replacing
from apps.common.new_file import PICTURES, check_new_file

COLOURS = "viridis"  # perceptually uniform, and readable by the colour-blind
USED = 0.05  # a slot with less weight than this at all times is not shown
MARGIN = 2  # slots shown on either side of those that are used


def copying(
    path: Path,
    target: np.ndarray,
    probabilities: np.ndarray,
    weightings: Mapping[str, np.ndarray],
    title: str,
) -> None:
    """Draw how a sequence is copied: panels below one another, over the same time.

    Args:
        path: of the new picture; its suffix says the format.
        target: (length, bits) of 0 and 1: first the input, then what is due.
        probabilities: (length, bits) of a 1, as answered.
        weightings: name -> (2 length + 2, heads, slots), a panel for each head; may be none.
        title: of the picture.

    Raises:
        UserError: what `check_new_file` says.
    """
    length, bits = target.shape
    # The steps are: begin, the bits, end, the copy.
    silence, mark = np.full((length + 2, bits), np.nan), np.full((1, bits), np.nan)
    panels = {
        "input, target": np.concatenate([mark, target, mark, target]),
        "output": np.concatenate([silence, probabilities]),
        "error": np.concatenate([silence, np.abs(target - probabilities)]),
    }
    slots = _shown(list(weightings.values()))
    heads = sum(weighting.shape[1] for weighting in weightings.values())
    heights = [bits] * 3
    for name, weighting in weightings.items():
        for head in range(weighting.shape[1]):
            number = f" {head + 1}" if weighting.shape[1] > 1 else ""
            panels[name + number] = weighting[:, head, slots]
            heights.append(max(12, min(len(slots), 80 // heads)))

    figure = Figure(
        figsize=(min(max(5 + 0.12 * length, 8), 14), 1.5 + 0.11 * sum(heights)),
        layout="constrained",
        dpi=120,
    )
    figure.suptitle(title)
    axes = figure.subplots(len(panels), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for (name, values), ax in zip(panels.items(), axes, strict=True):
        image = _heat_map(ax, values)
        ax.set_ylabel(name)
        for step in (0, length + 1):
            ax.axvline(step, color="tab:red", linewidth=1, linestyle=":")
    for ax in axes[:3]:
        ax.set_yticks([0, bits - 1], ["1", str(bits)])
    for ax in axes[3:]:
        # Not a scale: the slots are a circle, and those shown may go on with the first slot.
        every = next(n for n in (1, 2, 5, 10, 20, 50, len(slots)) if len(slots) / n <= 7)
        ticks = np.flatnonzero(slots % every == 0)
        ax.set_yticks(ticks, [str(slots[i]) for i in ticks])
    axes[0].secondary_xaxis("top").set_xticks([0, length + 1], ["begin", "end"])
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(10, integer=True))
    figure.colorbar(image, ax=list(axes), label="bit, probability, weight", aspect=40, pad=0.01)
    _save(figure, path)


def length_curve(path: Path, curves: Mapping[str, Mapping[int, float]], trained_to: int) -> None:
    """Draw the bit errors by length.

    Args:
        path: of the new picture; its suffix says the format.
        curves: name -> length -> wrong bits a sequence, on average.
        trained_to: the greatest length of the training.

    Raises:
        UserError: what `check_new_file` says.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained", dpi=120)
    ax = figure.subplots()
    ax.axvspan(0, trained_to, color="0.92", label=f"trained: up to {trained_to}")
    for name, curve in curves.items():
        ax.plot(*zip(*sorted(curve.items()), strict=True), marker=".", label=name)
    ax.set_yscale("symlog", linthresh=0.1)  # 0 has no logarithm
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_ylim(bottom=-0.01)
    ax.set_xlim(left=0)
    ax.set_xticks(sorted({length for curve in curves.values() for length in curve}))
    ax.set_xlabel("length of the sequence")
    ax.set_ylabel("wrong bits a sequence")
    ax.grid(axis="y", color="0.85")
    ax.set_axisbelow(True)
    figure.legend(loc="outside right upper", frameon=False)
    _save(figure, path)


def _heat_map(ax: Axes, values: np.ndarray) -> AxesImage:
    """Values (time, rows) in [0, 1]; the first row on top."""
    ax.tick_params(length=2)
    return ax.imshow(values.T, cmap=COLOURS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")


def _shown(weightings: list[np.ndarray]) -> np.ndarray:
    """The slots in use and a margin, in the order of the circle that begins after the largest gap.

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


def _save(figure: Figure, path: Path) -> None:
    check_new_file(path, PICTURES)
    with replacing(path) as beside:
        figure.savefig(beside)
