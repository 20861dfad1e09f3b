import tensorflow as tf

from apps.tagger.features import CHARACTERS, Features, casing, spell
from apps.tagger.vocabulary import UNKNOWN, Vocabulary

VOCABULARY = Vocabulary(["the", "0"], ["X"], "hTet", vector_words=["the", "1"])


def test_words_are_converted_to_ids():
    features = Features(VOCABULARY, ["words", "vectors", "casing", "characters"])
    ids = features(tf.constant([["The", "1", ""], ["ß", "", ""]]))
    assert ids["words"].numpy().tolist() == [[2, 3, 0], [UNKNOWN, 0, 0]]
    assert ids["vectors"].numpy().tolist() == [[2, 3, 0], [UNKNOWN, 0, 0]]
    assert ids["casing"].numpy().tolist() == [[4, 2, 0], [3, 0, 0]]
    assert ids["characters"].shape == (2, 3, CHARACTERS)
    assert ids["characters"].numpy()[0, 0, :4].tolist() == [3, 2, 4, 0]
    assert ids["characters"].numpy()[0, 1, :2].tolist() == [UNKNOWN, 0]
    assert not ids["characters"].numpy()[:, 2].any()


def test_only_the_requested_features_are_returned():
    assert list(Features(VOCABULARY, ["words"])(tf.constant([["a"]]))) == ["words"]


def test_a_batch_without_words():
    ids = Features(VOCABULARY, ["words", "characters"])(tf.zeros((0, 3), tf.string))
    assert ids["words"].shape == (0, 3)
    assert ids["characters"].shape == (0, 3, CHARACTERS)


def test_long_words_keep_their_ends():
    spelled = spell(tf.constant(["abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnop", "é"])).numpy()
    assert "".join(map(chr, spelled[0])) == "abcdefghstuvwxyz"
    assert "".join(map(chr, spelled[1])) == "abcdefghijklmnop"
    assert spelled[2].tolist() == [ord("é")] + [0] * 15


def test_casings():
    words = ["é", "É", "ÉÉ", "éÉ", "ǅ", "-", "3", "a3", "don't", "A.B.", "B-52", "日本", "\n"]
    assert casing(tf.constant(words)).numpy().tolist() == [3, 4, 5, 1, 4, 1, 2, 3, 3, 5, 4, 1, 1]
