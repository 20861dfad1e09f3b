"""Shared helpers for the pictures of apps: style, heat maps, and saving."""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from apps.common.files import PICTURES, atomic_write, check_new_file

COLORS = "viridis"  # perceptually uniform, and readable by the color-blind


def new_figure(width: float = 7, height: float = 4.5) -> Figure:
    """Create a figure of the given size in inches."""
    return Figure(figsize=(width, height), layout="constrained", dpi=120)


def heat_map(ax: Axes, values: np.ndarray) -> AxesImage:
    """Draw values (rows, columns) in [0, 1], the first row on top."""
    ax.tick_params(length=2)
    return ax.imshow(values, cmap=COLORS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")


def horizontal_grid(ax: Axes) -> None:
    """Draw light horizontal lines below the data."""
    ax.grid(axis="y", color="0.85")
    ax.set_axisbelow(True)


def save(figure: Figure, path: Path) -> None:
    """Save a figure to a new file, whose suffix determines the format.

    Raises:
        UserError: If the file exists, or can't be created: see `check_new_file`.
    """
    check_new_file(path, PICTURES)
    with warnings.catch_warnings(), atomic_write(path) as temporary:
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary)
