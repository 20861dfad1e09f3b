"""Files of pairs: their contents, and one-line errors for malformed files."""

import pytest

from datasets.formats.lines import DataError
from datasets.formats.pairs import Pair, filter_pairs, read_pair_file, read_parallel_files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pairs.tsv"


def test_two_columns_are_read_and_further_ones_ignored(path):
    path.write_bytes("\ufeffGo. \tGeh.\r\n\n Hi!\tHallo!\tCC BY\tx\n".encode())
    assert read_pair_file(path) == [("Go.", "Geh."), ("Hi!", "Hallo!")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": contains no pairs; expected source, tab and target on each line"),
        (b"\n \n", ": contains no pair"),
        (b"Go.\tGeh.\nHi!\n", ", line 2: no tab; expected the source, a tab and the target"),
        (b"Go.\t \tx\n", ", line 1: the target is empty"),
        (b"a\tb\n\tc\nd\t\n", r", line 2: the source is empty; .* \(and 1 more\)"),
        (b"1\tGo.\t7\tGeh.\n2\tHi!\t8\tHallo!\n", ": the first of 4 columns has only numbers; k"),
        (b'{"en": "Go.", "de": "Geh."}\n', ", line 1: .* is JSON; convert"),
        (b"<tmx>\n", ", line 1: '<tmx>' is XML; convert"),
        (b" \tGeh.\n", ", line 1: the source is empty"),
        (b"Go.\tGeh.\nHi\xff\tHallo\n", r", line 2: invalid UTF-8 at byte 11 \(0xff\)"),
    ],
)
def test_a_malformed_file_gets_a_one_line_error_with_its_location(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"pairs.tsv{message}") as error:
        read_pair_file(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_missing_file_is_reported(path):
    with pytest.raises(DataError, match=r"pairs\.tsv: No such file"):
        read_pair_file(path)


@pytest.fixture
def parallel(tmp_path):
    def write(source, target):
        (tmp_path / "a.en").write_bytes(source)
        (tmp_path / "a.de").write_bytes(target)
        return tmp_path / "a.en", tmp_path / "a.de"

    return write


def test_lines_with_the_same_number_are_pairs(parallel):
    files = parallel(b"Go.\n\nHi! \n", b"Geh.\r\n\nHallo!")
    assert read_parallel_files(*files) == [("Go.", "Geh."), ("Hi!", "Hallo!")]
    assert read_pair_file(",".join(map(str, files))) == [("Go.", "Geh."), ("Hi!", "Hallo!")]
    assert read_parallel_files(*parallel(b"Go.\n\n\n", b"Geh.")) == [("Go.", "Geh.")]


def test_a_file_with_a_comma_in_its_name_is_one_file(tmp_path):
    path = tmp_path / "go, going.tsv"
    path.write_text("Go.\tGeh.\n")
    assert read_pair_file(path) == [("Go.", "Geh.")]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (b"a\n" * 1200, b"b\n", r"a\.en has 1,200 lines, .*a\.de has 1; each line needs"),
        (b"", b"", r"a\.en: contains no sentence"),
        (b"a\n\n", b"b\nc\n", r"a\.en, line 2: blank, but not in the other"),
        (b"a\n", b"\n", r"a\.de, line 1: blank, but not in the other"),
        (b"a\n\nb\n\n", b"b\nc\n\nd\n", r"a\.en, line 2: .*; drop both lines \(and 2 more\)"),
        (b"a\n", b"\xff\n", r"a\.de, line 1: invalid UTF-8"),
    ],
)
def test_files_that_are_not_parallel_are_refused(parallel, source, target, message):
    with pytest.raises(DataError, match=message) as error:
        read_parallel_files(*parallel(source, target))
    assert "\n" not in str(error.value)


def test_pairs_are_filtered_by_length_and_ratio():
    given = [Pair("a b", "c d"), Pair("a", "b c d"), Pair("a b c d e", "a b"), Pair("", "a")]
    kept, dropped = filter_pairs(given, 4, 2, length=lambda side: len(side.split()))
    assert kept == given[:1] and dropped == {"empty": 1, "length": 1, "ratio": 1}
    assert filter_pairs(given[:3], max_length=9, max_ratio=5)[0] == given[:3]


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("en\tde\nGo.\tGeh.\n", "the first pair, ('en', 'de'), looks like a header; delete it"),
        ("Go.\tGeh.\nGo,\tgo!\tGeh!\n", "line 2: 3 columns, but line 1 has two; further columns"),
        ("Go.\tGo.\n" * 6 + "Go.\tGeh.\n" * 5, "55% of the pairs have equal sides; are these"),
        ('"Go."\t"Geh."\n' * 10, "100% of the sides have quotes around them, such as"),
        (
            "It &apos;s\tEs ist\n" * 10,
            "50% of the sides have escapes, such as 'It &apos;s'; decode",
        ),
        ("süß\tsweet\n".encode().decode("cp1252") * 10, "50% of the sides have characters encoded"),
        ("s\ufffdß\tsweet\n" * 10, "have replacement characters, such as 's\ufffdß'; get the text"),
        ("G@@ o.\tGeh.\n" * 10, "50% of the sides have marks of pieces, such as 'G@@ o.'; join"),
    ],
)
def test_pairs_that_may_be_misread_are_warned_of_in_one_line(path, capsys, content, warning):
    path.write_text(content)
    assert len(read_pair_file(path)) == content.count("\n")
    error = capsys.readouterr().err
    assert error.startswith(f"warning: {path}") and error.count("\n") == 1 and warning in error


def test_ordinary_pairs_are_read_without_a_warning(path, capsys):
    path.write_text('He said "no".\t"Nein", sagte er.\tCC BY\nA & B\tA & B\tCC BY\n' * 10)
    assert len(read_pair_file(path)) == 20
    assert not capsys.readouterr().err
