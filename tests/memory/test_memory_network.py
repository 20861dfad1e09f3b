import keras
import numpy as np
import pytest

from seqkit.memory.memory_network import MemoryNetwork
from tests.reference import memory_network as reference

WORDS, UNITS, FACTS = 12, 6, 5
STORIES = [([[1, 2, 3], [4], [5, 2], [7, 8, 9, 1]], [3, 2, 6]), ([[10, 11]], [1])]


def padded(stories=STORIES, facts=4, words=4):
    xs, qs = np.zeros((len(stories), facts, words), int), np.zeros((len(stories), words), int)
    for row, (sentences, question) in enumerate(stories):
        qs[row, : len(question)] = question
        for i, sentence in enumerate(sentences):
            xs[row, i, : len(sentence)] = sentence
    return xs, qs


def network(**changes):
    """Return a built layer with random weights, including those of padding."""
    arguments = {"hops": 3, "max_facts": FACTS, "return_attention": True, **changes}
    layer = MemoryNetwork(WORDS, UNITS, **arguments)
    layer(*padded())
    random = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(0.7 * random.standard_normal(weight.shape))
    return layer


def parts(weight):
    return np.split(np.array(weight, "float64"), weight.shape[1] // UNITS, axis=1)


def weights_of(layer):
    """Return the arguments of the reference."""
    E, K = parts(layer.embeddings), layer.hops
    none = [np.zeros((FACTS, UNITS))] * (K + 1)
    T = parts(layer.recency) if layer.temporal_encoding else none
    if layer.tying == "adjacent":
        return {"A": E[:-1], "C": E[1:], "B": E[0], "T_A": T[:K], "T_C": T[1 : K + 1]}
    both = {"A": [E[0]] * K, "C": [E[1]] * K, "T_A": [T[0]] * K, "T_C": [T[1]] * K}
    return {**both, "B": E[2], "H": np.array(layer.H, "float64")}


@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("positions", [True, False])
@pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
def test_it_computes_the_papers_equations(tying, positions, temporal):
    layer = network(tying=tying, position_encoding=positions, temporal_encoding=temporal)
    u, attention = layer(*padded())
    for row, (facts, question) in enumerate(STORIES):
        wanted, p = reference.answer(facts, question, positions=positions, **weights_of(layer))
        np.testing.assert_allclose(u[row], wanted, atol=1e-5)
        np.testing.assert_allclose(attention[row, :, : len(facts)], p, atol=1e-5)
        assert not np.any(attention[row, :, len(facts) :])


@pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
def test_padding_may_be_anywhere(tying):
    layer = network(tying=tying)
    u, attention = map(np.array, layer(*padded()))
    facts, query = padded(facts=7, words=6)
    np.testing.assert_allclose(layer(facts, query)[0], u, atol=1e-6)
    gaps = np.zeros((2, 9, 8), int)
    positions = [0, 2, 3, 7]  # of the facts
    gaps[:, positions, 2:6] = padded()[0]
    left = np.pad(padded()[1], [[0, 0], [3, 1]])
    again, p = map(np.array, layer(gaps, left))
    np.testing.assert_allclose(again, u, atol=1e-6)
    np.testing.assert_allclose(p[..., positions], attention, atol=1e-6)
    assert not np.delete(p, positions, axis=2).any()


def test_weights_are_a_distribution_over_the_facts():
    random = np.random.default_rng(1)
    facts = random.integers(0, WORDS, (20, 7, 3)) * random.integers(0, 2, (20, 7, 1))
    facts[0] = 0
    layer = network(max_facts=7)
    for scale in (1, 1e4):  # logits beyond any exponential
        layer.embeddings.assign(layer.embeddings * scale)
        u, p = map(np.array, layer(facts, random.integers(0, WORDS, (20, 3))))
        has_facts = facts.any(axis=(1, 2))
        assert np.isfinite(u).all() and (p >= 0).all()
        sums = np.broadcast_to(has_facts[:, None], (20, 3))
        np.testing.assert_allclose(p.sum(axis=-1), sums, atol=1e-5)
        assert not (p * ~facts.any(axis=-1)[:, None, :]).any()


def test_without_facts_the_result_is_the_question():
    layer = network()
    facts, query = padded()
    u, p = layer(np.zeros_like(facts), query)
    assert not np.any(p)
    alone = [reference.encode(question, weights_of(layer)["B"]) for _, question in STORIES]
    np.testing.assert_allclose(u, alone, atol=1e-5)


def test_only_the_most_recent_facts_are_read():
    layer = network(max_facts=2)
    facts, query = padded()
    u, p = map(np.array, layer(facts, query))
    assert not p[0, :, :2].any() and p[0, :, 2:].all()
    np.testing.assert_allclose(layer(facts[:1, 2:], query[:1])[0], u[:1], atol=1e-6)


@pytest.mark.parametrize("order", ["words", "facts"])
def test_order_matters_only_if_encoded(order):
    facts, query = padded()
    other = facts.copy()
    if order == "words":
        other[0, 0, :3] = facts[0, 0, 2::-1]
    else:
        other[0] = facts[0, ::-1]
    encoding = "position_encoding" if order == "words" else "temporal_encoding"
    for encoded in (True, False):
        layer = network(**{encoding: encoded})
        difference = np.abs(np.array(layer(facts, query)[0]) - layer(other, query)[0])[0].max()
        assert difference > 1e-2 if encoded else difference < 1e-6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tying": "none"}, "tying is 'none'; it must be one of"),
        ({"hops": 0}, "hops is 0"),
        ({"units": -1}, "units is -1"),
        ({"max_facts": 0}, "max_facts is 0"),
        ({"vocabulary_size": 0}, "vocabulary_size is 0"),
    ],
)
def test_bad_arguments_are_rejected(wrong, message):
    with pytest.raises(ValueError, match=message):
        MemoryNetwork(**{"vocabulary_size": 5, "units": 4, **wrong})


@pytest.mark.slow
@pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
def test_it_learns_the_current_place_of_a_person(tying):
    """Facts are pairs (person, place); the answer is the last place of the person."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    people, places = np.arange(1, 5), np.arange(5, 9)

    def stories(count):
        who, where = random.choice(people, (count, 6)), random.choice(places, (count, 6))
        query = who[np.arange(count), random.integers(0, 6, count)]
        last = 5 - np.argmax(who[:, ::-1] == query[:, None], axis=1)
        return np.stack([who, where], axis=2), query[:, None], where[np.arange(count), last] - 5

    facts, query, answers = stories(4000)
    inputs = keras.Input((6, 2), dtype="int32"), keras.Input((1,), dtype="int32")
    u = MemoryNetwork(9, 20, hops=2, tying=tying, max_facts=6)(*inputs)
    model = keras.Model(inputs, keras.layers.Dense(4)(u))
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit((facts, query), answers, batch_size=64, epochs=10, verbose=0)
    facts, query, answers = stories(500)
    assert model.evaluate((facts, query), answers, verbose=0)[1] > 0.95


def test_half_precision_counts_words_beyond_256():
    u = []
    for dtype in ("bfloat16", "float32"):
        network = MemoryNetwork(5, 4, hops=1, temporal_encoding=False, dtype=dtype)
        network(np.ones((1, 1, 3), int), np.ones((1, 600), int))
        network.set_weights([np.ones(w.shape) for w in network.get_weights()])
        none = np.zeros((1, 1, 3), int)  # u is the encoding of the question
        u.append(keras.ops.convert_to_numpy(network(none, np.ones((1, 600), int))))
    np.testing.assert_allclose(u[0].astype("float32"), u[1], rtol=2e-2, atol=2)
