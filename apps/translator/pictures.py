"""Pictures: the attention of a translation, and BLEU by source length."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from apps.common.errors import UserError
from apps.common.pictures import heat_map, horizontal_grid, new_axes
from apps.translator.scores import Band

PIECE = 0.24  # inches per piece on either axis, so that any number of labels is readable


def attention_map(
    source_pieces: Sequence[str], pieces: Sequence[str], weights: np.ndarray
) -> Figure:
    """Draw the attention weights of a translation as a heat map, one row per piece.

    A piece that continues a word is shown with a leading `·`, and the end of the translation as
    `(end)`. Characters that no font of Matplotlib has are shown as a box.

    Args:
        source_pieces: Pieces of the source.
        pieces: Pieces of the translation.
        weights: Attention weights (pieces, source pieces) in [0, 1].
    """
    source_pieces, pieces = [*map(_label, source_pieces)], [*map(_label, pieces)]
    rows, columns = weights.shape
    margin = 0.6 + 0.09 * max(map(len, (*source_pieces, *pieces)))
    ax = new_axes(PIECE * columns + margin + 1.6, max(PIECE * rows, 1.5) + margin)
    image = heat_map(ax, weights)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    # A piece may be a dollar sign, which would begin a formula.
    ax.set_xticks(range(columns), source_pieces, rotation=90, parse_math=False)
    ax.set_yticks(range(rows), pieces, parse_math=False)
    ax.set_xlabel("source")
    ax.set_ylabel("translation")
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=min(1.0, 3 / (PIECE * rows + 0.1)))
    return ax.figure


def length_curves(curves: Mapping[str, Mapping[str, Band]]) -> Figure:
    """Plot BLEU by source length.

    Args:
        curves: Name of a model -> words of the source -> Band, the shortest first; all on the same
            sentences.
    """
    ax = new_axes()
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
    ax.set_xlabel("words of the source; below: number of sentences")
    ax.set_ylabel("BLEU")
    horizontal_grid(ax)
    return ax.figure


def compare(results: Mapping[str, dict[str, Any]]) -> Figure:
    """Plot BLEU by source length for several evaluations: the command `compare`.

    Raises:
        UserError: If a result has no BLEU by length, or they are of different sentences.
    """
    curves = {}
    for name, result in results.items():
        try:
            curves[name] = {words: Band(**band) for words, band in result["by_length"].items()}
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{name}: no BLEU by length; evaluate again") from None
    if len({result["evaluated_checksum"] for result in results.values()}) > 1:
        raise UserError(f"{', '.join(results)}: evaluated on different sentences")
    return length_curves(curves)


def _label(piece: str) -> str:
    """Replace the marks of SentencePiece: `▁` begins a word, `</s>` ends a sentence.

    Example:
        >>> [_label(piece) for piece in ("▁dog", "s", ".", "▁", "</s>")]
        ['dog', '·s', '.', '␣', '(end)']
    """
    special = {"</s>": "(end)", "▁": "␣"}
    if piece in special:
        return special[piece]
    return f"·{piece}" if piece[0].isalnum() else piece.removeprefix("▁")
