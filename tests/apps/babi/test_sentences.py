import pytest
import tensorflow as tf

from apps.babi.sentences import Vocabulary, split_sentences, split_words
from apps.common.errors import UserError
from datasets.babi.stories import Question


def decoded(ragged):
    return [[text.decode() for text in row] for row in ragged.to_list()]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rains. Is it wet?", ["It rains.", "Is it wet?"]),
        ("It rains\nIs it wet", ["It rains", "Is it wet"]),
        (" One!  Two... \n\n three", ["One!", "Two...", "three"]),
        ("It costs 3.50 now.", ["It costs 3.50 now."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_sentence_ends_with_a_mark_or_its_line(text, sentences):
    assert decoded(split_sentences(tf.constant([text, "x"]))) == [sentences, ["x"]]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Where is Mary?", ["where", "is", "mary"]),
        ("Ça, c'est ÉTÉ!", ["ça", "c'est", "été"]),
        ("well-known", ["well-known"]),
        ("...", []),
    ],
)
def test_words_are_in_lower_case_without_punctuation(sentence, words):
    assert decoded(split_words(tf.constant([sentence]))) == [words]


def test_invalid_utf8_is_not_part_of_a_word():
    assert decoded(split_words(tf.constant([b"a\xff b"]))) == [["a", "b"]]


def test_a_vocabulary_can_be_saved_and_read(tmp_path):
    question = Question(("Omar rowed.", "Ines swam."), "Who rowed?", "Omar", (0,), 1, 0)
    vocabulary = Vocabulary.of([question, question._replace(answer="Ines")])
    assert vocabulary == (["ines", "omar", "rowed", "swam", "who"], ["Ines", "Omar"])
    vocabulary.save(tmp_path)
    assert Vocabulary.read(tmp_path) == vocabulary
    ids = vocabulary.lookup()(tf.constant([["who", "fell", ""]])).numpy().tolist()
    assert ids == [[vocabulary.size - 1, 1, 0]]
    with pytest.raises(UserError, match="no such file"):
        Vocabulary.read(tmp_path / "elsewhere")
