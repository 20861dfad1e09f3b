import pytest

from apps.common.errors import UserError
from apps.tagger.vocabulary import Vocabulary
from datasets.formats.columns import Sentence


def test_frequent_words_come_first():
    sentences = [Sentence(["b", "a", "b", "c"], ["Y", "X", "Y", "X"]), Sentence(["a"], ["X"])]
    assert Vocabulary.of(sentences, 2).words == ["a", "b"]
    assert Vocabulary.of(sentences, 2).tags == ["X", "Y"]
    assert Vocabulary.of(sentences, 1).word_ids() == {"a": 2, "b": 3, "c": 4}


def test_normalized_words_are_counted():
    vocabulary = Vocabulary.of([Sentence(["Dog", "dog", "1", "23", "7"], ["X"] * 5)], 2)
    assert vocabulary.words == ["0", "dog"]
    assert vocabulary.characters == "go1237Dd"[0:2] + "".join(sorted("1237Dd"))


def test_spans_are_iobes_in_the_model_and_in_the_users_scheme_in_answers():
    bio = Vocabulary.of([Sentence(["a", "b", "c"], ["B-X", "I-X", "O"])], 1)
    assert bio.scheme == "BIO"
    assert bio.tags == ["O", "B-X", "I-X", "E-X", "S-X"]
    assert bio.answers == ["O", "B-X", "I-X", "I-X", "B-X"]
    assert bio.tag_ids([Sentence(["a"], ["B-X"]), Sentence(["a", "b"], ["B-X", "I-X"])]) == [
        4,
        1,
        3,
    ]
    iobes = Vocabulary.of([Sentence(["a", "b"], ["S-X", "O"])], 1)
    assert iobes.answers == iobes.tags


def test_mixed_schemes_are_refused():
    with pytest.raises(UserError, match="sentence 2"):
        Vocabulary.of([Sentence(["a"], ["S-X"]), Sentence(["a", "b"], ["I-X", "I-X"])], 1)


def test_a_vocabulary_can_be_saved_and_read(tmp_path):
    vocabulary = Vocabulary(["é", '"', "a b"], ["X"], "é\n", [["A", "B"]], "BIO", ["the"])
    vocabulary.save(tmp_path)
    assert Vocabulary.read(tmp_path) == vocabulary


def test_an_invalid_vocabulary_is_reported(tmp_path):
    (tmp_path / "vocabulary.json").write_text('{"words": []}')
    with pytest.raises(UserError, match="not a vocabulary"):
        Vocabulary.read(tmp_path)
