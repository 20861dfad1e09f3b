"""Tagged sentences in the format given by the name of their file."""

from collections.abc import Sequence
from pathlib import Path

from datasets.formats.columns import Sentence, read_columns
from datasets.formats.conllu import read_conllu


def read_tagged(
    path: Path | str,
    column: str | None = None,
    auxiliary: Sequence[str] = (),
    word_column: str | None = None,
) -> list[Sentence]:
    """Read tagged sentences: CoNLL-U if the file name ends in `.conllu`, otherwise CoNLL columns.

    Args:
        path: Path of the file, UTF-8.
        column: The tag's column: in CoNLL-U its name, otherwise its number: 1, 2, ..., or
            -1, -2, ... from the end. None: `upos` in CoNLL-U, otherwise the last.
        auxiliary: Further columns.
        word_column: The word's column. None: `form` in CoNLL-U, otherwise the first, or the second
            if the first numbers the words.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: If the file is missing or malformed, or a column does not exist.
    """
    if Path(path).suffix.lower() == ".conllu":
        return read_conllu(path, column or "upos", auxiliary, word_column or "form")
    return read_columns(path, column, auxiliary, word_column)
