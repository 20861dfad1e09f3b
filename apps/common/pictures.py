"""Shared helpers for the pictures of apps: style and heat maps."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

COLORS = "viridis"  # perceptually uniform, and readable by the color-blind


def new_figure(width: float, height: float) -> Figure:
    """Create a figure of the given size in inches."""
    return Figure(figsize=(width, height), layout="constrained", dpi=120)


def new_axes(width: float = 7, height: float = 4.5) -> Axes:
    """Create the axes of a picture with one panel; its figure is `ax.figure`."""
    return new_figure(width, height).subplots()


def heat_map(ax: Axes, values: np.ndarray) -> AxesImage:
    """Draw values (rows, columns) in [0, 1], the first row on top."""
    ax.tick_params(length=2)
    return ax.imshow(values, cmap=COLORS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")


def horizontal_grid(ax: Axes) -> None:
    """Draw light horizontal lines below the data."""
    ax.grid(axis="y", color="0.85")
    ax.set_axisbelow(True)
