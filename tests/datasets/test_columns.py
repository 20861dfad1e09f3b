import pytest

from datasets.columns import Sentence, read_columns
from datasets.text import DataError


def read(tmp_path, text):
    path = tmp_path / "file.conll"
    path.write_bytes(text.encode())
    return read_columns(path)


def test_first_column_is_the_word_and_last_the_tag(tmp_path):
    assert read(tmp_path, "The DT B-NP\ndog NN I-NP\n\n\nruns VB B-VP") == [
        Sentence(["The", "dog"], ["B-NP", "I-NP"]),
        Sentence(["runs"], ["B-VP"]),
    ]


def test_tabs_separate_words_that_hold_spaces(tmp_path):
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
        ("", "holds no sentence"),
        ("\n# only a comment\n\n", "holds no sentence"),
        ("a DT\nb\n", r"line 2: one column \('b'\)"),
        ("a DT\n\nb NN O\n", "line 3: 3 columns, but the lines before have 2"),
        ("a\tDT\nb\t\n", "line 2: the word or the tag is empty"),
    ],
)
def test_malformed_files_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "file.conll") in str(error.value)
