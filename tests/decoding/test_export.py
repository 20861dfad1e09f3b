"""Decoding inside a SavedModel: open batch size, a seed per request."""

import keras
import numpy as np
import pytest

from seqkit.decoding import beam_search, greedy, sample, score, wu_penalty
from tests.decoding.toy import BOS, KINDS, Toy, to_numpy

if keras.backend.backend() != "tensorflow":
    pytest.skip("only TensorFlow has SavedModels", allow_module_level=True)

import tensorflow as tf

PREFIX = np.array([[2, 3], [4, -1], [-1, -1]], "int32")
LENGTHS = np.array([3, 2, 5], "int32")


def everything(toy, kind):
    """Return a function that decodes in every way, one sequence per row."""

    def run(h, c, mask, lengths, prefix, seed):
        state = {"h": h, "attention": tf.zeros((tf.shape(h)[0], toy.source))}
        toy.lengths = lengths
        common = {
            "bos_id": BOS,
            "length": toy.length(kind),
            "max_length": 6,
            "pad_id": -1,
            "attention": toy.attention,
        }
        arguments = (toy.step, state, (c, mask, None))
        best = beam_search(
            *arguments,
            **common,
            num_beams=4,
            num_results=2,
            length_penalty=wu_penalty(0.6),
            coverage_weight=0.2,
            source_mask=mask,
            no_repeat_ngram=2,
            prefix=prefix,
        )
        drawn = sample(*arguments, **common, seed=seed, top_k=3, top_p=0.9)
        likely = greedy(*arguments, **common)
        known = tf.maximum(likely.tokens, 0)
        scored = score(toy.step, known, *arguments[1:], bos_id=BOS, mask=likely.tokens >= 0)
        return {"beam": best, "sample": drawn, "greedy": likely, "score": scored.log_likelihoods}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_decodes_batches_of_any_size(kind, tmp_path):
    toy = Toy(rows=3, vocabulary=6, seed=9)
    run = everything(toy, kind)
    arrays = [toy.h, toy.c, toy.mask, LENGTHS, PREFIX, np.array([1, 2], "int32")]
    wanted = run(*map(tf.constant, arrays))
    specs = [tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in arrays[:-1]]
    module = tf.Module()
    module.run = tf.function(
        lambda *given: keras.tree.flatten(run(*given)),
        input_signature=[*specs, tf.TensorSpec([2], tf.int32)],
    )
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    for found, right in zip(
        loaded.run(*map(tf.constant, arrays)), keras.tree.flatten(wanted), strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)
    alone = loaded.run(*(tf.constant(a[:1]) for a in arrays[:-1]), tf.constant(arrays[-1]))
    best = to_numpy(wanted["beam"])
    flat = keras.tree.flatten(wanted)
    at = next(i for i, v in enumerate(flat) if v is wanted["beam"].scores)
    np.testing.assert_allclose(alone[at][0], best.scores[0], rtol=1e-4)
