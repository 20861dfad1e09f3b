import numpy as np
import pytest
import tensorflow as tf

from seqkit.memory import addressing
from seqkit.memory.linkage import link
from tests.reference import dnc


def array(*values):
    return np.array(values, "float32")[None, None]


def weightings(heads, slots=6, seed=0):
    w = np.random.default_rng(seed).random((2, heads, slots))
    return tf.constant(0.9 * w / w.sum(-1, keepdims=True), tf.float32)


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ((0, 0, 0), (1, 0, 0)),  # all free: the first
        ((1, 1, 1), (0, 0, 0)),  # all full: none
        ((1, 0, 1), (0, 1, 0)),
        ((0.5, 0.5, 0.5), (0.5, 0.25, 0.125)),  # ties in the order of slots
        ((0.5, 0.2, 1), (0.1, 0.8, 0)),
        ((1e-12, 0, 1), (0, 1, 0)),  # less than EPSILON apart, but still in order
    ],
)
def test_allocation_of_the_free_list(usage, wanted):
    found = addressing.allocation_weighting(array(*usage))
    np.testing.assert_allclose(found[0, 0], wanted, atol=3e-6)


def test_allocation_equals_a_loop_over_the_sorted_list():
    random = np.random.default_rng(0)
    usages = random.random((50, 1, 20))
    usages[::2] = usages[::2].round(1)  # ties, zeros and ones
    usages[::3] **= 8
    found = addressing.allocation_weighting(usages.astype("float32"))
    wanted = [dnc.allocation(u) for u in usages[:, 0].astype("float32").astype("float64")]
    np.testing.assert_allclose(found[:, 0], wanted, atol=1e-6)


@pytest.mark.parametrize("usage", [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 0.5, 0.5)])
def test_gradients_of_allocation_equal_those_of_the_product(usage):
    u = tf.constant(array(*usage))
    with tf.GradientTape() as tape:
        tape.watch(u)
        loss = tf.reduce_sum(addressing.allocation_weighting(u) * array(1, 2, 3, 4))
    order = np.argsort(usage, kind="stable")
    used = np.array(usage, float)

    def by_hand(used):  # with the order fixed
        before = [np.prod([used[j] for j in order[:k]]) for k in range(4)]
        return sum((slot + 1) * (1 - used[slot]) * b for slot, b in zip(order, before, strict=True))

    slope = [(by_hand(used + 1e-6 * e) - by_hand(used - 1e-6 * e)) / 2e-6 for e in np.eye(4)]
    np.testing.assert_allclose(tape.gradient(loss, u)[0, 0], slope, rtol=1e-4, atol=1e-4)


def test_retention_is_the_product_over_heads():
    free, read = np.random.default_rng(0).random((2, 3, 1)), np.asarray(weightings(3))
    found = addressing.retention(free.astype("float32"), read)
    np.testing.assert_allclose(found, np.prod(1 - free * read, axis=1, keepdims=True), rtol=1e-5)


def test_usage_of_written_and_freed_slots():
    found = addressing.usage(array(0, 0.5, 1, 1), array(0.25, 0.5, 1, 0), array(1, 1, 1, 0))
    np.testing.assert_allclose(found[0, 0], [0.25, 0.75, 1, 0])


def test_links_and_precedence_encode_the_order_of_writes():
    links, p = np.zeros((1, 4, 4), "float32"), array(0, 0, 0, 0)
    for slot in (2, 0, 3):
        w = np.eye(4, dtype="float32")[None, None, slot]
        links, p = addressing.temporal_links(links, w, p), addressing.precedence(p, w)
    np.testing.assert_array_equal(p[0, 0], [0, 0, 0, 1])
    np.testing.assert_array_equal(np.argwhere(np.asarray(links[0])), [[0, 2], [3, 0]])


def test_gradients_of_linkage_equal_those_of_its_equations():
    random = np.random.default_rng(0)
    first = (weightings(6, seed=1) * (1 - np.eye(6)), *(weightings(h, seed=h) for h in (1, 1, 2)))
    first = tuple(tf.cast(v, tf.float32) for v in first)
    scale = [random.standard_normal(s).astype("float32") for s in ((2, 6, 6), (2, 2, 6), (2, 2, 6))]

    def by_equation(links, w_write, p, w_read):
        links = addressing.temporal_links(links, w_write, p)
        return links, *addressing.directional_weightings(links, w_read)

    gradients = []
    for function in (link, by_equation):
        with tf.GradientTape() as tape:
            tape.watch(first)
            outputs = function(*first)
            loss = sum(tf.reduce_sum(s * v) for s, v in zip(scale, outputs, strict=True))
        gradients.append(tape.gradient(loss, first))
    for found, wanted in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
