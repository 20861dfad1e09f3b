import pytest

from datasets.formats.columns import Sentence
from datasets.formats.conllu import read_conllu
from datasets.formats.lines import DataError

# Invented; with a multiword token, and an empty node before the first and after the second word.
LINES = """\
# sent_id = 1
# text = I didn't.
0.1|_|_|VERB|VB|_|_|_|_|_
1|I|I|PRON|PRP|Case=Nom|Person=1|2|nsubj|_|_
2-3|didn't|_|_|_|_|_|_|_|SpaceAfter=No
2|did|do|AUX|VBD|_|0|root|_|_
2.1|seen|see|VERB|VBN|_|_|_|_|_
3|n't|not|PART|RB|_|2|advmod|_|_
4|.|.|PUNCT|.|_|2|punct|_|_

1|Yes|yes|INTJ|UH|_|0|root|_|_
"""
TEXT = LINES.replace("|", "\t").replace("Nom\tPerson", "Nom|Person")


def read(tmp_path, text, *columns):
    path = tmp_path / "file.conllu"
    path.write_bytes(text.encode())
    return read_conllu(path, *columns)


def test_multiword_tokens_and_empty_nodes_are_skipped(tmp_path):
    assert read(tmp_path, TEXT) == [
        Sentence(
            ["I", "did", "n't", "."],
            ["PRON", "AUX", "PART", "PUNCT"],
            (),
            "I didn't.",
            [4, 6, 8, 9],
        ),
        Sentence(["Yes"], ["INTJ"], (), "Yes", [11]),
    ]


def test_columns_are_chosen_by_name(tmp_path):
    first, _ = read(tmp_path, TEXT, "xpos", ["feats", "deprel"])
    assert first.tags == ["PRP", "VBD", "RB", "."]
    assert first.auxiliary == (
        ["Case=Nom|Person=1", "_", "_", "_"],
        ["nsubj", "root", "advmod", "punct"],
    )


def test_without_a_text_comment_the_words_are_joined(tmp_path):
    text = TEXT.replace("# text = I didn't.\n", "# translated_text = Je n'ai pas.\n")
    assert read(tmp_path, text)[0].text == "I didn't."
    spread = text.replace("_\tSpaceAfter=No", "_\tGloss=not|SpaceAfter=Nope")
    assert read(tmp_path, spread)[0].text == "I didn't ."


def test_an_underscore_is_a_value_of_features(tmp_path):
    assert read(tmp_path, TEXT, "feats")[1].tags == ["_"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tAUX\t", "\t_\t", "line 6: the word 'did' has no upos"),
        ("\tINTJ\t", "\t\t", "line 11: an empty column"),
        ("1\tYes", "one\tYes", "line 11: 'one' is not a word number"),
        ("2-3\t", "2-\t", "line 5: '2-' is not a word number"),
        ("\tINTJ\tUH", "\tINTJ UH", "line 11: 9 columns; CoNLL-U has ten"),
        ("\t", " ", "line 3: spaces between the columns of '0.1 _ _ VERB"),
        ("\n\n", "\n", "line 10: word number 1 follows 4; put a blank line between sentences"),
        ("3\tn't", "4\tn't", "line 8: word number 4 follows 2; number words 1, 2, ..."),
        (TEXT, "1\t_\tno\tINTJ\tUH\t_\t0\troot\t_\t_\n", "every word is '_'; the treebank comes"),
        (TEXT, "# text = a\n", "contains no sentence"),
    ],
)
def test_malformed_files_are_refused_with_the_line(tmp_path, old, new, message):
    assert old in TEXT
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, TEXT.replace(old, new))
    assert str(tmp_path / "file.conllu") in str(error.value)


@pytest.mark.parametrize("columns", [["form"], ["2"], ["upos", ["tag"]]])
def test_a_missing_column_is_refused(tmp_path, columns):
    with pytest.raises(DataError, match=r"no column .*; choose lemma, upos"):
        read(tmp_path, TEXT, *columns)


def test_an_underscore_may_be_a_word(tmp_path):
    assert read(tmp_path, TEXT.replace("\tYes\t", "\t_\t"))[1].words == ["_"]
    with pytest.raises(DataError, match="word_column 'upos': in CoNLL-U, choose form or lemma"):
        read(tmp_path, TEXT, "upos", (), "upos")
