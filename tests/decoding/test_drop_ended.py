"""Greedy decoding that goes on with fewer and fewer rows, against that which keeps them all."""

import keras
import numpy as np
import pytest

from seqkit.decoding import greedy
from tests.decoding.toy import BOS, KINDS, Toy, to_numpy

if keras.backend.backend() != "tensorflow":
    pytest.skip("rows leave a batch of open size, which JAX has not", allow_module_level=True)

import tensorflow as tf


def decode(toy, kind, step=None, **more):
    return greedy(
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


@pytest.mark.parametrize("rows", [0, 1, 24])
@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_is_the_same(kind, rows):
    toy = Toy(rows=rows, vocabulary=5, seed=2)
    arrays = toy.h, toy.c, toy.mask, toy.lengths

    @tf.function(input_signature=[tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in arrays])
    def in_a_graph(*given):
        toy.h, toy.c, toy.mask, toy.lengths = given
        toy.rows = tf.shape(given[0])[0]
        return decode(toy, kind, drop_ended=True)

    wanted = to_numpy(decode(toy, kind))
    assert rows < 24 or len(set(wanted.lengths.tolist())) > 3
    for found in decode(toy, kind, drop_ended=True), in_a_graph(*arrays):
        for name, part, expected in zip(wanted._fields, to_numpy(found), wanted, strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_whenever_half_have_ended_the_others_go_on_alone():
    toy = Toy(rows=8, seed=0)
    toy.lengths = np.array([1, 7, 2, 2, 9, 3, 3, 5], "int32")
    sizes = []

    def step(tokens, state, constants):
        sizes.append(len(tokens))
        assert {len(leaf) for leaf in (*state.values(), *constants[:2])} == {len(tokens)}
        return toy.step(tokens, state, constants)

    found = decode(toy, "predicted", step, drop_ended=True)
    assert found.lengths.numpy().tolist() == toy.lengths.tolist()
    # Ended before the step: 0 1 3 5 5 6 6 7 7 of the eight; left over are 3 of them, then 1.
    assert sizes == [8, 8, 8, 3, 3, 3, 3, 1, 1]
