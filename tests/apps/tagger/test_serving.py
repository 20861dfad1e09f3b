import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from apps import tagger
from apps.tagger.config import Config
from apps.tagger.data import pad
from apps.tagger.restoration import annotate, restore
from apps.tagger.serving import Tagger, split_punctuation, split_restoration
from apps.tagger.vocabulary import Vocabulary
from datasets.king_james import verses

HARD = [
    "",
    "  \t",
    "\u00a0x",
    "-a- b--c ’’d e’-f",
    "'tis dogs' O’Neil’s ’",
    "a-’b",
    "½ é1 Æneas—b_c",
]


@pytest.fixture(scope="module")
def signatures(untrained_run):
    exported = tagger.export(tagger.Config(units=8, embedding_size=8), untrained_run)
    return {name: signature.concrete for name, signature in exported.signatures.items()}


def split(texts, splitter):
    words = tf.strings.split(splitter(tf.constant(texts, tf.string)))
    return [[word.decode() for word in row] for row in words.to_list()]


def test_the_graph_finds_the_words_that_training_saw():
    texts = verses("test") + HARD
    assert split(texts, split_restoration) == [annotate(text)[0] for text in texts]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet="aBcÉ7'’-,. _(—\n\u00a0", max_size=30), min_size=20, max_size=20))
def test_the_graph_finds_the_words_of_any_text(texts):
    assert split(texts, split_restoration) == [annotate(text)[0] for text in texts]


def test_the_graph_restores_as_python_does():
    sentences = [annotate(verse) for verse in verses("test")] + [
        (["é’s", "ab’s"], ["Title", "UPPER!"])
    ]
    words, tags = (tf.constant(pad(column), tf.string) for column in zip(*sentences, strict=True))
    restored = Tagger._restored(None, words, tags).numpy()
    for row, sentence in zip(restored, sentences, strict=True):
        text = " ".join(word.decode() for word in row[: len(sentence[0])])
        assert text == restore(*sentence)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The dog, it barks.", "The dog , it barks ."),
        ('He said: "Go!"', 'He said : " Go !"'),
        ("(so) 3.5 don't u.s", "( so ) 3.5 don't u.s"),
        (" \t\u00a0 ", ""),
    ],
)
def test_punctuation_at_the_edges_of_words_is_set_off(text, words):
    assert split([text], split_punctuation) == [words.split()]


def test_empty_sentences_have_no_words(signatures):
    for texts in ([""], ["", "  "], ["", "a word"]):
        answer = signatures["serving_default"](text=tf.constant(texts))
        assert answer["lengths"].numpy().tolist() == [len(text.split()) for text in texts]
        assert answer["text"].numpy()[0] == b""
        assert answer["words"].shape == answer["tags"].shape == answer["probabilities"].shape


def test_a_sentence_of_ten_thousand_words_is_answered(signatures):
    answer = signatures["serving_default"](text=tf.constant(["word " * 10_000]))
    assert answer["lengths"].numpy().tolist() == [10_000]
    assert len(answer["text"].numpy()[0].split()) == 10_000


def test_invalid_utf8_is_read_as_a_replacement_character(signatures):
    answer = signatures["serving_default"](text=tf.constant([b"one\xfftwo \xe2\x80"]))
    assert answer["words"].numpy().tolist() == [[b"one", b"two"]]


def test_the_batch_changes_no_answer(signatures):
    texts = [*verses("test")[:8], "", "unheardof wordses"]
    together = signatures["serving_default"](text=tf.constant(texts))
    for row, text in enumerate(texts):
        alone = signatures["serving_default"](text=tf.constant([text]))
        length = int(alone["lengths"][0])
        assert together["lengths"][row] == length
        assert together["text"][row] == alone["text"][0]
        assert (together["tags"][row, :length] == alone["tags"][0]).numpy().all()
        assert not together["probabilities"][row, length:].numpy().any()
        np.testing.assert_allclose(
            together["probabilities"][row, :length], alone["probabilities"][0], rtol=1e-5
        )


def test_text_and_words_are_answered_alike(signatures):
    words = ["and", "the", "lord", "said", "unto", "moses"]
    by_text = signatures["serving_default"](text=tf.constant([" ".join(words)]))
    by_words = signatures["words"](words=tf.constant([[*words, "", "behind"]]))
    assert by_words["lengths"].numpy().tolist() == [6]
    assert by_words["tags"].numpy()[0, :6].tolist() == by_text["tags"].numpy()[0].tolist()
    assert by_words["tags"].numpy()[0, 6:].tolist() == [b"", b""]


def test_probabilities_are_those_of_the_answered_tags():
    """A model that scores the tags of each word by its id: by hand, without a network."""
    ids = keras.Input((None,), dtype="int32")
    scores = keras.layers.Embedding(3, 2, weights=[np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])])
    model = keras.Model(ids, scores(ids))
    module = Tagger(model, Vocabulary(["dog"], ["ADV", "NOUN"]), restores=False)
    answer = module.tag_text(tf.constant(["dog quickly", ""]))
    assert answer["text"].numpy().tolist() == [b"dog/NOUN quickly/ADV", b""]
    np.testing.assert_allclose(answer["probabilities"], [[0.8, 0.9], [0, 0]], rtol=1e-5)


def test_validation_and_serving_agree(untrained_run, signatures):
    from apps.common.commands import load_model
    from apps.tagger.data import Data
    from apps.tagger.scores import score, tag_sentences, validate
    from datasets.columns import Sentence

    sentences = [Sentence(*annotate(verse)) for verse in verses("dev")[:100]]
    data = Data(Config(), sentences, sentences, Vocabulary.read(untrained_run))
    served = [tag for tags in tag_sentences(signatures, sentences) for tag in tags]
    gold = [tag for sentence in sentences for tag in sentence.tags]
    model = load_model(untrained_run)
    assert validate(Config(), model, data) == pytest.approx(score(gold, served))
