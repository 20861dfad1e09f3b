import io
import os
import threading

import pytest

from datasets.formats.lines import DataError, decode_lines, read_lines


def test_line_endings_and_the_byte_order_mark_are_removed(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffé\r\n\n\ufeff b".encode())
    assert list(read_lines(path)) == ["é", "", " b"]


def test_an_error_in_utf8_names_the_line_and_the_byte(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"good\nba\xffd\n")
    with pytest.raises(DataError, match=r"text, line 2: invalid UTF-8 at byte 7 \(0xff\)"):
        list(read_lines(path))


def test_lines_are_decoded_lazily():
    lines = decode_lines(io.BytesIO(b"one\n\xff\n"), "stdin")
    assert next(lines) == "one"
    with pytest.raises(DataError, match="stdin, line 2"):
        next(lines)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_path_that_is_not_a_file_is_reported(tmp_path, name):
    with pytest.raises(DataError, match=str(tmp_path / name)):
        list(read_lines(tmp_path / name))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08", ": the file is compressed by gzip; unpack it: gunzip -k "),
        (b"PK\x03\x04", ": the file is a zip archive or a spreadsheet; unpack it, or save"),
        ("a b\n".encode("utf-16"), ": the file is in UTF-16; convert it: iconv -f UTF-16 -t"),
        ("a b\n".encode("utf-16-le"), ", line 1: a NUL byte at byte 1; give text in UTF-8"),
        (b"a b\nc\0d\n", ", line 2: a NUL byte at byte 5; give text in UTF-8"),
        (
            b"a b\rc d\re f\r",
            r", line 1: lines end in a carriage return alone; convert them: tr '\r'",
        ),
        (
            "a\ncafé\n".encode("latin-1"),
            ", line 2: invalid UTF-8 at byte 5 (0xe9), 'é' in Windows-",
        ),
    ],
)
def test_a_file_that_is_not_utf8_text_is_refused_with_a_remedy(tmp_path, content, message):
    path = tmp_path / "my text"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        list(read_lines(path))
    assert str(error.value).startswith(f"{path}{message}") and "\n" not in str(error.value)


def test_lines_end_at_newlines_only(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("a\u2028b\x85c\rd\n\x0ce".encode())
    assert list(read_lines(path)) == ["a\u2028b\x85c\rd", "\x0ce"]


def test_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=["a\nb\n"])
    writer.start()
    assert list(read_lines(tmp_path / "pipe")) == ["a", "b"]
    writer.join()
