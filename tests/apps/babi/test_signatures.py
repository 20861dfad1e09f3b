import numpy as np
import pytest
import tensorflow as tf

from apps import babi
from apps.babi.data import encode
from apps.babi.evaluation import answer
from apps.common.run_folder import load_model


@pytest.fixture(scope="module")
def exported(config, untrained_run):
    (exported,) = babi.export(config, untrained_run)
    return exported


@pytest.fixture(scope="module")
def serve(exported):
    return exported.signatures["serving_default"].concrete


def ask(serve, *pairs):
    facts, question = map(list, zip(*pairs, strict=True))
    answer = serve(facts=tf.constant(facts), question=tf.constant(question))
    return {name: tensor.numpy() for name, tensor in answer.items()}


STORY = ("Ines rowed to the pier. Omar rowed to the buoy.", "Where is Omar?")


def test_answers_equal_those_of_the_model(config, data, untrained_run, serve):
    """For the dev questions, up to batching and padding."""
    encoded = encode(data.dev, data.vocabulary, config.max_facts)
    facts, question = encoded.sentences[encoded.facts], encoded.sentences[encoded.questions]
    logits = load_model(untrained_run)([facts, question]).numpy()
    answers = ask(serve, *[("\n".join(q.facts), q.question) for q in data.dev])
    best = [data.vocabulary.answers[i].encode() for i in logits.argmax(axis=-1)]
    assert answers["answer"].tolist() == best
    probabilities = tf.nn.softmax(logits).numpy().max(axis=-1)
    np.testing.assert_allclose(answers["probability"], probabilities, atol=1e-5)
    assert answer({"serving_default": serve}, data.dev) == [text.decode() for text in best]


def test_the_facts_that_were_read_are_returned_with_the_attention(config, serve):
    story = " ".join(f"Ines rowed to the pier {i}." for i in range(9))
    answers = ask(serve, STORY, (story, "Where is Ines?"), ("", "Where is Ines?"))
    assert answers["facts"].shape == (3, config.max_facts)
    assert answers["facts"][0, :3].tolist() == [
        b"Ines rowed to the pier.",
        b"Omar rowed to the buoy.",
        b"",
    ]
    assert answers["facts"][1, 0] == b"Ines rowed to the pier 3."
    assert not answers["facts"][2].any()
    if config.model == "memory_network":
        assert answers["attention"].shape == (3, config.hops, config.max_facts)
        sums = answers["attention"].sum(axis=-1)
        np.testing.assert_allclose(sums, np.array([[1], [1], [0]]) + np.zeros((1, 3)), atol=1e-5)
        assert not answers["attention"][0, :, 2:].any()
    else:
        assert "attention" not in answers


def test_answers_do_not_depend_on_case_punctuation_or_the_batch(serve):
    together = ask(serve, STORY, ("Lena rowed to the island. " * 5, "Where is Lena?"))
    shouted = (STORY[0].upper().replace(".", "!"), "WHERE, IS OMAR")
    for alone in (ask(serve, STORY), ask(serve, shouted)):
        np.testing.assert_allclose(alone["probability"], together["probability"][:1], atol=1e-6)
    other = ask(serve, (STORY[0].replace("Omar", "Lena"), STORY[1]))
    assert abs(other["probability"] - together["probability"][0]) > 1e-6


def test_unknown_words_are_answered(serve):
    answers = ask(serve, ("Zebras fly. ... !", "Quo vadis?"), (b"\xff. Omar rowed.", "Where?"))
    assert np.isfinite(answers["probability"]).all()
    assert answers["unknown"][0].tolist() == [b"zebras", b"fly", b"quo", b"vadis"]
    assert not ask(serve, STORY)["unknown"].size


def test_an_empty_batch_has_no_answers(serve):
    nothing = tf.constant([], tf.string)
    assert serve(facts=nothing, question=nothing)["answer"].shape == (0,)


def test_bad_questions_get_a_one_line_error(serve):
    with pytest.raises(tf.errors.InvalidArgumentError, match="question: contains no words"):
        ask(serve, STORY, ("Ines rowed.", "?!"))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="facts and question must have the same"
    ):
        serve(facts=tf.constant(["a", "b"]), question=tf.constant(["c"]))


def test_each_example_is_answered(exported):
    (signature,) = exported.signatures.values()
    for example in exported.examples["serving_default"]:
        tensors = {name: tf.constant(value, tf.string) for name, value in example.items()}
        assert signature.concrete(**tensors).keys() == signature.outputs.keys()
    assert ("`attention`" in exported.notes) == ("attention" in signature.outputs)
