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
        ("a.conllu", ["upos", [], "lemma"], Sentence(["yes"], ["INTJ"], (), "Yes")),
        ("a.conll", ["4", ["-6"]], Sentence(["Yes"], ["INTJ"], (["UH"],))),
        ("a.conll", ["4", [], "1"], Sentence(["1"], ["INTJ"])),
        ("a.conll", ["4", [], "-8"], Sentence(["yes"], ["INTJ"])),
    ],
)
def test_the_file_name_determines_the_format(tmp_path, name, columns, sentence):
    (tmp_path / name).write_text(TEXT)
    assert read_tagged(tmp_path / name, *columns) == [sentence._replace(lines=[1])]


def test_a_column_name_is_refused_outside_conllu(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(DataError, match=r"only files that end in \.conllu have column names"):
        read_tagged(tmp_path / "a.txt", "upos")
