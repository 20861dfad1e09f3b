import pytest

from datasets.formats.columns import Sentence
from datasets.formats.lines import DataError
from datasets.formats.tagged import read_tagged

TEXT = "1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\tX=1\n"


@pytest.mark.parametrize(
    ("name", "columns", "sentence"),
    [
        ("a.conllu", [], Sentence(["Yes"], ["INTJ"], (), "Yes")),
        ("a.CoNLLU", ["xpos", ["lemma"]], Sentence(["Yes"], ["UH"], (["yes"],), "Yes")),
        ("a.conll", [], Sentence(["1"], ["X=1"])),
        ("a.conll", ["4", ["-6"]], Sentence(["1"], ["INTJ"], (["UH"],))),
    ],
)
def test_the_name_of_the_file_says_its_format(tmp_path, name, columns, sentence):
    (tmp_path / name).write_text(TEXT)
    assert read_tagged(tmp_path / name, *columns) == [sentence]


def test_a_name_in_columns_without_names_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(DataError, match=r"names belong to files that end in \.conllu"):
        read_tagged(tmp_path / "a.txt", "upos")
