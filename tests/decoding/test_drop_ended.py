"""Decoding with drop_ended against decoding that keeps all rows."""

from functools import partial

import keras
import numpy as np
import pytest

from seqkit.decoding import beam_search, greedy, per_token, wu_penalty
from tests.decoding.toy import BOS, KINDS, Toy, to_numpy

if keras.backend.backend() != "tensorflow":
    pytest.skip("JAX has no batches of open size", allow_module_level=True)

import tensorflow as tf

SEARCHES = {
    "greedy": greedy,
    "beams": partial(beam_search, num_beams=3, num_results=2, length_penalty=wu_penalty(0.6)),
    "one beam": partial(beam_search, num_beams=1),
    "blocked": partial(beam_search, num_beams=3, no_repeat_ngram=2, length_penalty=per_token),
}


def decode(toy, kind, search=greedy, step=None, **more):
    return search(
        step or toy.step,
        toy.state,
        toy.constants,
        bos_id=BOS,
        length=toy.length(kind),
        max_length=12,
        pad_id=-1,
        attention=toy.attention,
        **more,
    )


def assert_same(found, wanted):
    found, wanted = to_numpy(found), to_numpy(wanted)
    for name, part, expected in zip(wanted._fields, found, wanted, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("kind", "search"),
    [*(("end symbol", search) for search in SEARCHES), *((kind, "beams") for kind in KINDS[1:])],
)
def test_the_result_is_the_same(kind, search):
    toys = [Toy(rows=rows, vocabulary=5, seed=2) for rows in (24, 1, 0)]

    def arrays(toy):
        return toy.h, toy.c, toy.mask, toy.lengths

    open_size = [tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in arrays(toys[0])]
    open_size[2] = tf.TensorSpec([None, None], tf.bool)  # a source of open length, too

    @tf.function(input_signature=open_size)
    def in_a_graph(*given):
        toy = Toy(rows=0, vocabulary=5, seed=2)
        toy.h, toy.c, toy.mask, toy.lengths = given
        toy.rows, toy.source = tf.unstack(tf.shape(toy.mask))
        toy.A = tf.convert_to_tensor(toy.A)[:, : toy.source]
        return decode(toy, kind, SEARCHES[search], drop_ended=True)

    for toy in toys:
        wanted = decode(toy, kind, SEARCHES[search])
        assert toy.rows < 24 or len(np.unique(wanted.lengths)) > 3
        assert_same(in_a_graph(*arrays(toy)), wanted)
        assert_same(decode(toy, kind, SEARCHES[search], drop_ended=True), wanted)


@pytest.mark.parametrize(("search", "beams"), [("greedy", 1), ("one beam", 1), ("beams", 3)])
def test_ended_rows_are_dropped_once_they_are_at_least_an_eighth(search, beams):
    toy = Toy(rows=8, seed=0)
    toy.lengths = np.array([1, 7, 2, 2, 9, 3, 3, 5], "int32")
    sizes = []

    def step(tokens, state, constants):
        sizes.append(len(tokens))
        assert {len(leaf) for leaf in (*state.values(), *constants[:2])} == {len(tokens)}
        return toy.step(tokens, state, constants)

    found = decode(toy, "predicted", SEARCHES[search], step=step, drop_ended=True)
    best = found.lengths.numpy().reshape(8, -1)[:, 0]
    assert best.tolist() == toy.lengths.tolist()
    # Left before each step: 8 7 5 3 3 2 2 1 1.
    assert sizes == [beams * n for n in (8, 7, 5, 3, 3, 2, 2, 1, 1)]


def test_limits_and_shared_constants_follow_the_rows_that_are_kept():
    toy = Toy(rows=24, vocabulary=5, seed=3)
    limits = np.random.default_rng(0).integers(1, 12, 24).astype("int32")
    search = partial(
        beam_search, num_beams=3, num_results=3, length_limits=limits, length_penalty=per_token
    )

    def shared(tokens, state, constants):
        assert len(constants[0]) * 3 == len(tokens)
        repeated = [None if c is None else np.repeat(c, 3, axis=0) for c in constants]
        return toy.step(tokens, state, repeated)

    for kind in KINDS:
        wanted = decode(toy, kind, search)
        more = {"step": shared, "repeat_constants": False}
        assert_same(decode(toy, kind, search, **more), wanted)
        assert_same(decode(toy, kind, search, drop_ended=True, **more), wanted)


def test_prefixes_and_coverage_follow_the_rows_that_are_kept():
    toy = Toy(rows=24, vocabulary=5, seed=3)
    prefix = np.random.default_rng(0).integers(2, 5, (24, 3)).astype("int32")
    prefix[::2, 1:] = -1
    search = partial(
        beam_search,
        num_beams=3,
        prefix=prefix,
        coverage_weight=0.7,
        source_mask=toy.mask,
        length_penalty=wu_penalty(0.2),
    )
    for kind in KINDS:
        assert_same(decode(toy, kind, search, drop_ended=True), decode(toy, kind, search))
