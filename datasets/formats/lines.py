"""Text files and streams, read line by line; errors give the line and the byte."""

import shlex
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

# The first bytes of files that are no UTF-8 text: what they are, and how to get text.
_SIGNATURES = {
    b"\x1f\x8b": ("compressed by gzip", "unpack it: gunzip -k {}"),
    b"BZh": ("compressed by bzip2", "unpack it: bunzip2 -k {}"),
    b"\xfd7zXZ\x00": ("compressed by xz", "unpack it: unxz -k {}"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unpack it: unzstd {}"),
    b"PK\x03\x04": ("a zip archive or a spreadsheet", "unpack it, or save it as text with tabs"),
    b"%PDF": ("a PDF", "extract its text"),
    b"\x93NUMPY": ("a NumPy array", "write its values as text"),
    b"\x89HDF": ("in HDF5", "write its contents as text"),
    b"PAR1": ("in Parquet", "write its columns as text with tabs"),
    b"\xd0\xcf\x11\xe0": ("an Office document", "save it as text with tabs"),
    b"\x80\x03": ("a pickle", "write its contents as text"),
    b"\x80\x04": ("a pickle", "write its contents as text"),
    b"\x80\x05": ("a pickle", "write its contents as text"),
    b"\xff\xfe\x00\x00": ("in UTF-32", "convert it: iconv -f UTF-32 -t UTF-8 {} > NEW"),
    b"\xff\xfe": ("in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 {} > NEW"),
    b"\xfe\xff": ("in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 {} > NEW"),
}
_HIDDEN = frozenset("\u00ad\u200b\u2060\ufeff")


class DataError(ValueError):
    """Data that cannot be read; the message gives the problem, its location and a remedy."""


@cache
def warn(message: str) -> None:
    """Print a warning on stderr, once per process: evaluation reads the same files again."""
    print(f"warning: {message}", file=sys.stderr)


def decode_lines(lines: Iterable[bytes], name: str) -> Iterator[str]:
    r"""Decode UTF-8 lines one at a time, without their line endings and byte order marks.

    Files that were concatenated have such marks inside.

    Args:
        lines: Raw lines, e.g. a file opened in binary mode.
        name: Name of the source in error messages.

    Yields:
        The lines.

    Raises:
        DataError: If a line is not UTF-8, or has a NUL byte.

    Example:
        >>> list(decode_lines([b"a\r\n", b"b"], "example"))
        ['a', 'b']
    """
    offset = 0
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise DataError(
                f"{name}, line {number}: invalid UTF-8 at byte {offset + error.start} "
                f"(0x{byte:02x}){_in_windows_1252(byte)}; convert the text to UTF-8, e.g. with "
                "iconv -f WINDOWS-1252 -t UTF-8"
            ) from None
        if "\0" in text:
            raise DataError(
                f"{name}, line {number}: a NUL byte at byte {offset + line.index(0)}; give text in "
                "UTF-8: neither UTF-16 nor a binary format"
            )
        offset += len(line)
        yield text.rstrip("\r\n")


def read_lines(path: Path | str) -> Iterator[str]:
    r"""Read the lines of a UTF-8 file, without their line endings.

    A byte order mark is dropped. Lines end in `\n` or `\r\n`, and nowhere else: not at the other
    separators of Unicode, so that the lines of two parallel files keep their numbers.

    Args:
        path: Path of the file.

    Yields:
        The lines.

    Raises:
        DataError: If the file is missing, compressed, or not UTF-8, has a NUL byte, or its lines
            end in `\r` alone.
    """
    try:
        with Path(path).open("rb") as file:
            _check_signature(file.peek(6), path)  # a pipe can't seek
            for number, line in enumerate(decode_lines(file, str(path)), start=1):
                if number == 1 and line.count("\r") > 1:
                    raise DataError(
                        f"{path}, line 1: lines end in a carriage return alone; convert them: "
                        f"tr '\\r' '\\n' < {shlex.quote(str(path))} > NEW"
                    )
                yield line
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; check the path") from None


def is_invisible(text: str) -> bool:
    r"""Return whether a text shows nothing: white space, zero-width and control characters.

    Example:
        >>> is_invisible("\u200b\u00a0"), is_invisible(".")
        (True, False)
    """
    return all(char.isspace() or not char.isprintable() for char in text)


def hides_characters(text: str) -> bool:
    r"""Return whether a text is invisible, or has zero-width spaces or soft hyphens inside.

    The joiners of Persian, Hindi and emoji don't count.

    Example:
        >>> hides_characters("Ber\u00adlin"), hides_characters("می\u200cروم")
        (True, False)
    """
    return is_invisible(text) or not _HIDDEN.isdisjoint(text)


def shorten(text: str, width: int = 60) -> str:
    """Format a text for a message: in quotes, its invisible characters escaped, its end cut.

    Example:
        >>> shorten("a word and more", width=6)
        "'a word...'"
    """
    return repr(text if len(text) <= width else text[:width] + "...")


def _check_signature(first: bytes, path: Path | str) -> None:
    """Refuse a file whose first bytes show that it isn't UTF-8 text."""
    for signature, (kind, remedy) in _SIGNATURES.items():
        if first.startswith(signature):
            raise DataError(f"{path}: the file is {kind}; {remedy.format(shlex.quote(str(path)))}")


def _in_windows_1252(byte: int) -> str:
    """Format a byte as Windows-1252, a superset of Latin-1, reads it."""
    char = bytes([byte]).decode("windows-1252", errors="replace")
    return f", {char!r} in Windows-1252" if char.isalpha() else ""
