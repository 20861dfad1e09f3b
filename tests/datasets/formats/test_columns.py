import re

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
        Sentence(["The", "dog"], ["B-NP", "I-NP"], lines=[1, 2]),
        Sentence(["runs"], ["B-VP"], lines=[5]),
    ]


@pytest.mark.parametrize(("column", "auxiliary"), [("2", ["3", "1"]), ("-2", ["-1", "-3"])])
def test_columns_are_chosen_by_number_from_either_end(tmp_path, column, auxiliary):
    assert read(tmp_path, CHUNKS, column, auxiliary) == [
        Sentence(["The", "dog"], ["DT", "NN"], (["B-NP", "I-NP"], ["The", "dog"]), lines=[1, 2]),
        Sentence(["runs"], ["VB"], (["B-VP"], ["runs"]), lines=[5]),
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
        Sentence(["New York", "is"], ["NOUN", "VERB"], lines=[1, 2])
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
        ("a DT\n\nb NN O\n", "line 3: 3 columns, but the other lines have 2: 'b NN O'; give"),
        ("a\tDT\nb\t\n", "line 2: the word or the tag is empty"),
    ],
)
def test_malformed_files_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "file.conll") in str(error.value)


# Each line of these files has a word and its tag; comments stand between, before and after.
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#NowPlaying O\non O\n\nhi X\n", "#NowPlaying on|hi"),
        ("#first X\n#second Y\n\nhi X\n", "#first #second|hi"),
        ("# newdoc id = 1\nhi UH O\n# # B-X\n", "hi #"),
        ("# # B-X\na CD O\n", "a"),
        ("# # X\na CD X\n", "# a"),
        ("# text = hi\n1\thi\tX\tO\n2\tho\tO\tX\n", "hi ho"),
        ("#\t#\nhi\tUH\n", "# hi"),
        ("#\thttp://x\t[2012]\n1\tHallo\tX\tO\n2\tdu\tO\tO\n", "Hallo du"),
        ("#begin document (a); part 000\na 0 1 hi UH O\na 0 2 ho UH X\n\n#end document\n", "hi ho"),
    ],
)
def test_a_line_that_starts_with_a_number_sign_is_a_word_or_a_comment(tmp_path, text, words):
    column = "4" if "begin" in text else None
    sentences = read(tmp_path, text, None, (), column)
    assert [" ".join(s.words) for s in sentences] == words.split("|")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("# X\na O\n", "line 1: '# X' is skipped as a comment (such lines: 1); a word that begins"),
        (
            "#tag X\na O\n",
            "line 1: '#tag X' is read as a word, whose tag is in no other line (such",
        ),
        ("#tag X\na O\n\n#new Y\n", "(such lines: 2)"),
        ("#tag\na O\n", "line 1: '#tag' is skipped as a comment (such lines: 1)"),
        ("a N O\n# O\nb N O\n", "line 2: '# O' is skipped as a comment"),
        ("\u200b\tO\na\tX\n", r"line 1: the word '\u200b' has invisible characters"),
        ("\u00a0\tO\na\tX\n", r"line 1: the word '\xa0' has invisible characters"),
        ("a X\nBer\u00adlin Y\na\u200bb Y\n", r"line 2: the word 'Ber\xadlin' has .*: 2)"),
        ("a X\n\n" * 20, "each sentence has one word; put blank lines only between"),
        ("a (PER*\nb *)\nc *\n", "tags such as '(PER*' are brackets, read as plain tags; to"),
        ("a X\nb X\n" * 501 + "\nb X\n", "line 1: a sentence of 1,002 words; put a blank line"),
    ],
)
def test_what_may_be_misread_is_warned_of_in_one_line(tmp_path, capsys, text, warning):
    assert read(tmp_path, text)
    error = capsys.readouterr().err
    assert error.startswith(f"warning: {tmp_path / 'file.conll'}") and error.count("\n") == 1
    assert re.search(re.escape(warning).replace(r"\.\*", ".*"), error)


@pytest.mark.parametrize(
    ("text", "words", "tags"),
    [
        ("1\tBerlin\tN\tB-X\n2\tis\tV\tO\n\n1\tYes\tN\tO\n", "Berlin is|Yes", "B-X O|O"),
        ("0 Berlin N B-X\n1 is V O\n", "Berlin is", "B-X O"),
        ("1984 CD\nis V\n", "1984 is", "CD V"),
        ("10\u00a0000 CD\nEuro N\n", "10\u00a0000 Euro", "CD N"),
        ("a  X\u00a0\n b   Y \r\n\r\nc Z", "a b|c", "X Y|Z"),
        ("\ufeffa X\nb Y\n", "a b", "X Y"),
        ("1 -DOCSTART- O\n\n1 a O\n2 b X\n", "a b", "O X"),
        ("dom N,sg\nje V,sg\n", "dom je", "N,sg V,sg"),
        ("_ O\na X\n", "_ a", "O X"),
        ("a\u2028b X\nc Y\n", "a\u2028b c", "X Y"),
    ],
)
def test_certain_cases_are_read_as_meant(tmp_path, capsys, text, words, tags):
    sentences = read(tmp_path, text)
    assert [" ".join(s.words) for s in sentences] == words.split("|")
    assert [" ".join(s.tags) for s in sentences] == tags.split("|")
    assert not capsys.readouterr().err


def test_sentences_may_differ_in_width_if_columns_count_from_the_left(tmp_path):
    text = "bc 0 a X\nbc 1 b Y\n\nbc 0 c Z p q\n"
    assert [s.tags for s in read(tmp_path, text, "4", (), "3")] == [["X", "Y"], ["Z"]]
    with pytest.raises(DataError, match=r"line 4: 6 columns.*give --column as a number from 1"):
        read(tmp_path, text)
    with pytest.raises(DataError, match="line 2: 5 columns, but the other lines have 4"):
        read(tmp_path, "bc 0 a X\nbc 1 b Y z\nbc 2 c Y\n", "4", (), "3")


BOTH = "--word_column 2 --column 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5 CD\n7 CD\n", "line 1: the first column has only numbers, such as 5; give .*_column 2"),
        ("1 a\n2 b\n", "the first column has only numbers"),
        ("1\ta\tX\n2-3\tb\tY\n", "line 2: the first column has only numbers, such as 2-3"),
        ("1 a X\n2 b Y\n3 c Y\n1 d Y\n", "line 4: word number 1 follows 3; put a blank line"),
        ("1 a X\n2 b Y\n4 c Y\n", "line 3: word number 4 follows 2; number words 1, 2"),
        ("1 a _ X _ _ 0 _ _ _\n", r"10 columns; give the tag's column, .* in \.conllu if it is"),
        ("B-X Berlin\nO is\n", f"column 1 has only tags, such as 'B-X', no words; .*{BOTH}"),
        ("d a X\nd b Y\n" * 10, f"each sentence repeats one word of column 1, .* 'd'; .*{BOTH}"),
        ("d a X\nd b Y\n\ne c X\ne d Y\n\n" * 5, "each sentence repeats one word of column 1"),
        (
            "".join(f"N w{n}\nV x\n\n" for n in range(100)),
            r"column 2 has far more distinct tags \(101\)",
        ),
        ("The DT\tB-X\na NN\tI-X\n", "most words .* spaces, such as 'The DT'; .*separate all"),
        (
            "I like it\tgood\nIt is bad\tbad\n",
            "spaces, such as 'I like it'; write one word per line",
        ),
        (
            "saw/O it/O Oslo/B-X\n",
            "line 1: 'saw/O it/O Oslo/B-X' has words with their tags attached",
        ),
        ("a/DT dog/NN\nruns/VB home/NN\n", "words with their tags attached; write one word per"),
        (
            "".join(f"doc 0 {n} w{n % 9} NN _ _ _ _ A * (1)\n" for n in range(20)),
            "repeats one word .* --word_column 4 --column 5 in CoNLL-2012",
        ),
        ("a X\nb X\n" * 501, "line 1: a sentence of 1,002 words; put a blank line between"),
        ("word\tNER_tag\na\tX\n", r"line 1: 'word\\tNER_tag' looks like a header; delete it"),
        ('{"tokens": ["a"], "tags": ["X"]}\n', "line 1: .* is JSON; convert"),
        ("[\n", "line 1: .* is JSON; convert"),
        ("<?xml version='1.0'?>\n", "line 1: .* is XML; convert"),
        ("Berlin, X\nis, Y\n", "line 1: 'Berlin, X' looks like CSV; separate"),
        ('"New York",X\nis,Y\n', "looks like CSV"),
        ("Berlin\u00a0X\n", r"line 1: one column \('Berlin\\xa0X'\)"),
        ("a\tX\t\nb\tY\t\n", r"line 1: the word or the tag is empty in 'a\\tX\\t'"),
    ],
)
def test_what_would_be_misread_is_refused_with_a_remedy(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)


def test_columns_that_are_named_are_read_as_they_are(tmp_path):
    sentences = read(tmp_path, "B-X Berlin\nO is\n", "1", (), "2")
    assert sentences == [Sentence(["Berlin", "is"], ["B-X", "O"], lines=[1, 2])]
    assert read(tmp_path, "5 CD\n7 CD\n", None, (), "1")[0].words == ["5", "7"]
    with pytest.raises(DataError, match="column 1 can't be both the words and the tags"):
        read(tmp_path, "a X\nb Y\n", "1")
    with pytest.raises(DataError, match="column 2 can't be both"):
        read(tmp_path, "a X\nb Y\n", "2", (), "-1")
