import io

import pytest

from datasets.formats.lines import DataError, decode_lines, read_lines


def test_line_endings_and_the_byte_order_mark_are_removed(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffé\r\n\n b".encode())
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
