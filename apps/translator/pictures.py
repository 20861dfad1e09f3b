"""Pictures: where the decoder looked, and how good translations are by length."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from apps.common.files import atomic_write
from apps.common.new_file import PICTURES, check_new_file
from apps.translator.scores import Band

COLOURS = "viridis"  # perceptually uniform, and readable by the colour-blind
CELL = 0.24  # inches of a piece on either axis: its label is readable however many there are


def attention_picture(
    path: Path, source_pieces: Sequence[str], pieces: Sequence[str], weights: np.ndarray
) -> None:
    """Draw where the decoder looked as it wrote each piece: a row of the heat map.

    The pieces are shown as they are: `▁` begins a word, `</s>` ends the translation. What no
    font of Matplotlib has is shown as a box.

    Args:
        path: of the new picture; its suffix says the format.
        source_pieces: of the sentence.
        pieces: of the translation.
        weights: (pieces, source pieces) in [0, 1].

    Raises:
        UserError: what `check_new_file` says.
    """
    rows, columns = weights.shape
    margin = 0.6 + 0.09 * max(map(len, (*source_pieces, *pieces)))
    figure = Figure(
        figsize=(CELL * columns + margin + 1.6, max(CELL * rows, 1.5) + margin),
        layout="constrained",
        dpi=120,
    )
    ax = figure.subplots()
    image = ax.imshow(weights, cmap=COLOURS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    # Not read as formulas, for a piece may well be a dollar sign.
    ax.set_xticks(range(columns), source_pieces, rotation=90, parse_math=False)
    ax.set_yticks(range(rows), pieces, parse_math=False)
    ax.tick_params(length=2)
    ax.set_xlabel("source")
    ax.set_ylabel("translation")
    figure.colorbar(image, ax=ax, label="weight", shrink=min(1.0, 3 / (CELL * rows + 0.1)))
    _save(figure, path)


def length_curves(path: Path, curves: Mapping[str, Mapping[str, Band]]) -> None:
    """Draw BLEU by the length of the source.

    Args:
        path: of the new picture; its suffix says the format.
        curves: name of a model -> words of the source -> Band; the shortest first. All of the same
            sentences.

    Raises:
        UserError: what `check_new_file` says.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained", dpi=120)
    ax = figure.subplots()
    for name, bands in curves.items():
        labels = [f"{words}\n{band.sentences:,}" for words, band in bands.items()]
        scores = [band.bleu for band in bands.values()]
        ax.plot(labels, scores, marker="o", label=name)
        for place, (words, band) in enumerate(bands.items()):
            others = (other[words].bleu for other in curves.values() if words in other)
            above = band.bleu >= max(others)
            ax.annotate(
                f"{band.bleu:.1f}",
                (place, band.bleu),
                (0, 7 if above else -7),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
            )
    if len(curves) > 1:
        ax.legend()
    highest = max(band.bleu for bands in curves.values() for band in bands.values())
    ax.set_ylim(0, max(1.0, highest) * 1.15)
    ax.margins(x=0.1)
    ax.set_xlabel("words of the source, and below it how many sentences")
    ax.set_ylabel("BLEU")
    ax.grid(axis="y", color="0.85")
    ax.set_axisbelow(True)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    check_new_file(path, PICTURES)
    with warnings.catch_warnings(), replacing(path) as beside:
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(beside)
