"""Text files and streams, read line by line; errors give the line and the byte."""

from collections.abc import Iterable, Iterator
from pathlib import Path


class DataError(ValueError):
    """Data that cannot be read; the message gives the problem, its location and a remedy."""


def decode_lines(lines: Iterable[bytes], name: str) -> Iterator[str]:
    r"""Decode UTF-8 lines one at a time, without their line endings.

    Args:
        lines: Raw lines, e.g. a file opened in binary mode.
        name: Name of the source in error messages.

    Yields:
        The lines.

    Raises:
        DataError: If a line is not UTF-8.

    Example:
        >>> list(decode_lines([b"a\r\n", b"b"], "example"))
        ['a', 'b']
    """
    offset = 0
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: invalid UTF-8 at byte {offset + error.start} "
                f"(0x{line[error.start]:02x}); convert the text to UTF-8, e.g. with iconv"
            ) from None
        offset += len(line)
        yield text.rstrip("\r\n")


def read_lines(path: Path | str) -> Iterator[str]:
    """Read the lines of a UTF-8 file, without their line endings.

    Args:
        path: Path of the file.

    Yields:
        The lines.

    Raises:
        DataError: If the file is missing, or not UTF-8.
    """
    try:
        with Path(path).open("rb") as file:
            yield from decode_lines(file, str(path))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; check the path") from None
