"""Tagged sentences, in the format that the name of their file says."""

from collections.abc import Sequence
from pathlib import Path

from datasets.formats.columns import Sentence, read_columns
from datasets.formats.conllu import read_conllu


def read_tagged(
    path: Path | str, column: str | None = None, auxiliary: Sequence[str] = ()
) -> list[Sentence]:
    """Read tagged sentences: CoNLL-U if the file's name ends in `.conllu`, else CoNLL columns.

    Args:
        path: the file, UTF-8.
        column: of the tag: by name in CoNLL-U, else by number from 1, or -1 from the end; None:
            `upos`, or else the last.
        auxiliary: further columns.

    Returns:
        The sentences, in order; none is empty.

    Raises:
        DataError: the file is missing or malformed, or a column is not there.
    """
    if Path(path).suffix.lower() == ".conllu":
        return read_conllu(path, column or "upos", auxiliary)
    return read_columns(path, column, auxiliary)
