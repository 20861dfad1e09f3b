import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from apps import tagger
from apps.common import run_folder
from apps.common.batching import pad
from apps.common.run_folder import load_model
from apps.tagger.config import Config
from apps.tagger.data import Data
from apps.tagger.evaluation import tag_sentences, validation
from apps.tagger.restoration import annotate, restore
from apps.tagger.scores import score
from apps.tagger.served import ServedTagger, split_restoration
from apps.tagger.served import restore as restore_in_graph
from apps.tagger.signatures import IDS_SHAPE
from apps.tagger.vocabulary import Vocabulary
from datasets.formats.columns import Sentence
from datasets.king_james.reading import verses
from tests.apps.tagger.conftest import CHUNKS

HARD = [
    "",
    "  \t",
    "\u00a0x",
    "-a- b--c ’’d e’-f",
    "'tis dogs' O’Neil’s ’",
    "a-’b",
    "½ é1 Æneas—b_c",
]


def functions(run, number=0):
    exported = tagger.export(run_folder.read_config(run, Config), run)[number]
    return {name: signature.concrete for name, signature in exported.signatures.items()}


@pytest.fixture(scope="module")
def signatures(untrained_run):
    return functions(untrained_run)


@pytest.fixture(scope="module")
def spans(spans_run):
    """Return the signatures of a tagger of spans with a CRF."""
    return functions(spans_run)


def split(texts, splitter):
    words = tf.strings.split(splitter(tf.constant(texts, tf.string)))
    return [[word.decode() for word in row] for row in words.to_list()]


def test_the_graph_finds_the_same_words_as_training():
    texts = verses("test") + HARD
    assert split(texts, split_restoration) == [annotate(text)[0] for text in texts]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet="aBcÉ7'’-,. _(—\n\u00a0", max_size=30), min_size=20, max_size=20))
def test_the_graph_finds_the_words_of_any_text(texts):
    assert split(texts, split_restoration) == [annotate(text)[0] for text in texts]


def test_the_graph_restores_text_as_python_does():
    sentences = [annotate(verse) for verse in verses("test")] + [
        (["é’s", "ab’s"], ["Title", "UPPER!"])
    ]
    words, tags = (
        tf.constant(pad(column, ""), tf.string) for column in zip(*sentences, strict=True)
    )
    restored = restore_in_graph(words, tags).numpy()
    for row, sentence in zip(restored, sentences, strict=True):
        text = " ".join(word.decode() for word in row[: len(sentence[0])])
        assert text == restore(*sentence)


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


@pytest.mark.parametrize("tagger", ["signatures", "spans"])
def test_probabilities_of_a_long_sentence_are_probabilities(tagger, request):
    signatures = request.getfixturevalue(tagger)
    text = tf.constant(["dog " * 3_000])
    probabilities = signatures["serving_default"](text=text)["probabilities"].numpy()
    assert (probabilities > 0).all() and (probabilities <= 1).all()
    best = signatures["n_best"](text=text, n=tf.constant(3))
    log_probabilities = best["log_probabilities"].numpy()[0]
    assert (np.diff(log_probabilities) <= 0).all()
    assert (log_probabilities < -100).all() and (log_probabilities > -1e8).all()
    assert len({tags.tobytes() for tags in best["tags"].numpy()[0].astype("S")}) == 3


def test_invalid_utf8_is_read_as_a_replacement_character(signatures):
    answer = signatures["serving_default"](text=tf.constant([b"one\xfftwo \xe2\x80"]))
    assert answer["words"].numpy().tolist() == [[b"one", b"two"]]


def test_answers_do_not_depend_on_the_batch(signatures):
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


def test_text_and_words_get_the_same_tags(signatures):
    words = ["and", "the", "lord", "said", "unto", "moses"]
    by_text = signatures["serving_default"](text=tf.constant([" ".join(words)]))
    by_words = signatures["words"](words=tf.constant([[*words, "", "behind"]]))
    assert by_words["lengths"].numpy().tolist() == [6]
    assert by_words["tags"].numpy()[0, :6].tolist() == by_text["tags"].numpy()[0].tolist()
    assert by_words["tags"].numpy()[0, 6:].tolist() == [b"", b""]


def by_hand(vocabulary, output, config=None):
    """Return a tagger without a network, whose scores depend only on the id of each word."""
    ids = keras.Input((None,), dtype="int32", name="words")
    scores = keras.layers.Embedding(3, len(vocabulary.tags), weights=[output])(ids)
    return ServedTagger(
        keras.Model({"words": ids}, {"tags": scores}),
        vocabulary,
        config or Config(train_file="a", dev_file="b"),
    )


def test_probabilities_are_those_of_the_predicted_tags():
    output = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    module = by_hand(Vocabulary(["dog"], ["ADV", "NOUN"]), output)
    answer = module.tag_text(tf.constant(["dog quickly", ""]))
    assert answer["text"].numpy().tolist() == [b"dog/NOUN quickly/ADV", b""]
    np.testing.assert_allclose(answer["probabilities"], [[0.8, 0.9], [0, 0]], rtol=1e-5)


def test_tags_that_coincide_in_the_users_scheme_share_one_probability():
    vocabulary = Vocabulary.of([Sentence(["dog", "dog"], ["B-X", "O"])], 1)
    assert vocabulary.tags == ["O", "B-X", "I-X", "E-X", "S-X"]
    output = np.log([[0.2] * 5, [0.4, 0.35, 0.05, 0.05, 0.15], [0.1, 0.1, 0.3, 0.4, 0.1]])
    module = by_hand(vocabulary, output)
    answer = module.tag_words(tf.constant([["dog"]]))
    assert answer["tags"].numpy().tolist() == [[b"I-X"]]
    np.testing.assert_allclose(answer["probabilities"], [[0.7]], rtol=1e-5)


def test_n_best_taggings_of_independent_words():
    output = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    module = by_hand(Vocabulary(["dog"], ["A", "N"]), output)
    answer = module.n_best(tf.constant(["dog quickly", "dog", ""]), tf.constant(3))
    assert answer["lengths"].numpy().tolist() == [2, 1, 0]
    assert answer["tags"].numpy()[0].tolist() == [[b"N", b"A"], [b"A", b"A"], [b"N", b"N"]]
    assert answer["tags"].numpy()[1, :2].tolist() == [[b"N", b""], [b"A", b""]]
    expected = [[0.72, 0.18, 0.08], [0.8, 0.2, 0], [1, 0, 0]]
    np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-4)


def test_the_probabilities_of_a_crf_are_marginals(spans):
    """Compared with sums over all taggings of a short sentence."""
    text = tf.constant(["The dog barks"])
    answer = spans["serving_default"](text=text)
    best = spans["n_best"](text=text, n=tf.constant(1000))
    probabilities = best["probabilities"].numpy()[0]
    assert probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert (np.diff(probabilities) <= 1e-7).all()
    for place, tag in enumerate(answer["tags"].numpy()[0]):
        has_tag = best["tags"].numpy()[0, :, place] == tag
        marginal = probabilities[has_tag].sum()
        assert answer["probabilities"].numpy()[0, place] == pytest.approx(marginal, abs=1e-4)


def test_answers_are_in_the_scheme_of_the_data(spans):
    answer = spans["serving_default"](
        text=tf.constant(["The old dog barks at 5 o'clock!", "Is it?"])
    )
    tags = {tag for tag in answer["tags"].numpy().flatten().tolist() if tag}
    assert tags <= {b"O", b"B-NP", b"I-NP", b"B-VP", b"I-VP"}
    assert answer["words"].numpy()[1, :3].tolist() == [b"Is", b"it", b"?"]


@pytest.mark.parametrize("run", ["untrained_run", "spans_run"])
def test_ids_get_the_same_tags_as_words(run, request):
    run = request.getfixturevalue(run)
    config, vocabulary = run_folder.read_config(run, Config), Vocabulary.read(run)
    _, exported = tagger.export(config, run)
    (example,) = exported.examples["serving_default"]
    assert all(tensor.shape[:2] == IDS_SHAPE for tensor in example.values())
    answer = exported.signatures["serving_default"].concrete(
        **{name: tf.constant(ids) for name, ids in example.items()}
    )
    words = [vocabulary.words[i - 2] if i else "" for i in example["words"].flatten()]
    words = np.array(words, object).reshape(IDS_SHAPE)
    by_words = functions(run)["words"](words=tf.constant(words, tf.string))
    labels = [*exported.extra["labels.txt"].split("\n")[:-1]]
    real = words != ""
    assert real.any() and not real.all()
    tags = np.array(labels, object)[answer["tags"].numpy()][real]
    assert tags.tolist() == [tag.decode() for tag in by_words["tags"].numpy()[real]]
    np.testing.assert_allclose(answer["probabilities"], by_words["probabilities"], atol=1e-5)
    assert not answer["tags"].numpy()[~real].any()


@pytest.mark.slow
@pytest.mark.parametrize("run", ["untrained_run", "spans_run"])
def test_ids_compile_under_xla_and_are_core_operations(run, request, tmp_path):
    from seqkit.export import write

    run = request.getfixturevalue(run)
    _, exported = tagger.export(run_folder.read_config(run, Config), run)
    path = write(tmp_path, exported.module, exported.signatures, exported.examples, "")
    model = tf.saved_model.load(path)  # owns the variables
    loaded = model.signatures["serving_default"]
    (example,) = exported.examples["serving_default"]
    example = {name: tf.constant(ids) for name, ids in example.items()}
    compiled = tf.function(loaded, jit_compile=True)(**example)
    for name, tensor in loaded(**example).items():
        np.testing.assert_allclose(compiled[name], tensor, atol=1e-5)
    graph = loaded.graph.as_graph_def()
    operations = {
        n.op
        for f in [graph, *graph.library.function]
        for n in getattr(f, "node", None) or f.node_def
    }
    assert not {op for op in operations if "String" in op or "Lookup" in op or "Regex" in op}


@pytest.mark.parametrize("run", ["untrained_run", "spans_run"])
def test_validation_and_the_export_agree(run, request):
    run = request.getfixturevalue(run)
    config, vocabulary = run_folder.read_config(run, Config), Vocabulary.read(run)
    sentences = (
        [Sentence(*annotate(verse)) for verse in verses("dev")[:100]] if config.restores else CHUNKS
    )
    words = [sentence.words for sentence in sentences]
    predicted = tag_sentences(functions(run), words)
    gold = [sentence.tags for sentence in sentences]
    data = Data(config, sentences, sentences, vocabulary)
    assert validation(config, load_model(run), data)() == pytest.approx(
        score(gold, predicted, spans=vocabulary.scheme is not None)
    )
