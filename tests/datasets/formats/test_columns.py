import pytest

from datasets.formats.columns import Sentence, read_columns
from datasets.formats.lines import DataError


def read(tmp_path, text, *columns):
    path = tmp_path / "file.conll"
    path.write_bytes(text.encode())
    return read_columns(path, *columns)


CHUNKS = "The DT B-NP\ndog NN I-NP\n\n\nruns VB B-VP"


def test_first_column_is_the_word_and_last_the_tag(tmp_path):
    assert read(tmp_path, CHUNKS) == [
        Sentence(["The", "dog"], ["B-NP", "I-NP"]),
        Sentence(["runs"], ["B-VP"]),
    ]


@pytest.mark.parametrize(("column", "auxiliary"), [("2", ["3", "1"]), ("-2", ["-1", "-3"])])
def test_columns_are_chosen_by_number_from_either_end(tmp_path, column, auxiliary):
    assert read(tmp_path, CHUNKS, column, auxiliary) == [
        Sentence(["The", "dog"], ["DT", "NN"], (["B-NP", "I-NP"], ["The", "dog"])),
        Sentence(["runs"], ["VB"], (["B-VP"], ["runs"])),
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["5"], "file.conll, line 1: no column 5, the line has 3"),
        (["-4"], "no column -4, the line has 3"),
        ([None, ["4"]], "no column 4, the line has 3"),
        (["0"], "column '0': give its number"),
        (["upos"], "column 'upos': give its number"),
    ],
)
def test_a_missing_column_is_refused(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, CHUNKS, *columns)


def test_an_auxiliary_column_may_not_be_empty(tmp_path):
    with pytest.raises(DataError, match="line 2: the word or the tag is empty"):
        read(tmp_path, "a\tDT\tO\nb\t\tO\n", None, ["2"])


def test_another_encoding_is_refused_with_the_byte(tmp_path):
    path = tmp_path / "latin1.conll"
    path.write_bytes("a DT\ncafé NN\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"line 2: invalid UTF-8 at byte 8 \(0xe9\)"):
        read_columns(path)


def test_words_separated_by_tabs_may_contain_spaces(tmp_path):
    assert read(tmp_path, "New York\tNOUN\r\nis\tVERB\r\n") == [
        Sentence(["New York", "is"], ["NOUN", "VERB"])
    ]


def test_comments_and_document_starts_are_skipped(tmp_path):
    text = "-DOCSTART- -X- O\n# a comment of five words\nit PRP O\n-DOCSTART- -X- O\nis VB O\n"
    assert [s.words for s in read(tmp_path, text)] == [["it"], ["is"]]


def test_a_number_sign_can_be_a_word(tmp_path):
    assert read(tmp_path, "a DT O\n# # B-NP\n")[0].words == ["a", "#"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "contains no sentence"),
        ("\n# only a comment\n\n", "contains no sentence"),
        ("a DT\nb\n", r"line 2: one column \('b'\)"),
        ("a DT\n\nb NN O\n", "line 3: 3 columns, but the previous lines have 2"),
        ("a\tDT\nb\t\n", "line 2: the word or the tag is empty"),
    ],
)
def test_malformed_files_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "file.conll") in str(error.value)
