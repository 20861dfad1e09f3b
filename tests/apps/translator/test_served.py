"""Functions of an export, which must agree even though the model has hardly been trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.common.run_folder import load_model
from apps.translator.data import batch, load
from apps.translator.evaluation import translate_lines, validation
from apps.translator.scores import quick_score
from apps.translator.served import MAX_SOURCE_LENGTH
from apps.translator.subwords import BOS, encode
from seqkit.decoding import score
from tests.apps.translator.conftest import PAIRS, TINY

pytestmark = pytest.mark.slow

LINES = ["one red dogs", "", "five green houses two old cats", "  ", "§ Zyx 日本", "two"]


def pieces(answer, row):
    return [piece for piece in answer["pieces"][row] if piece]


@pytest.mark.parametrize("name", ["serving_default", "greedy"])
def test_answers_do_not_depend_on_the_batch(serve, name):
    together = serve(name, text=LINES)
    for row, line in enumerate(LINES):
        alone = serve(name, text=[line])
        assert together["translation"][row] == alone["translation"][0]
        assert pieces(together, row) == pieces(alone, 0)
        np.testing.assert_allclose(together["scores"][row], alone["scores"][0], rtol=1e-5)
    assert len({len(pieces(together, row)) for row in range(len(LINES))}) > 1


@pytest.mark.parametrize("name", ["serving_default", "greedy", "sample"])
def test_an_empty_sentence_has_an_empty_translation(serve, name):
    sampling = {"seed": [1, 2], "temperature": 1.0} if name == "sample" else {}
    for lines in ([""], ["", " "], ["", "two"]):
        answer = serve(name, text=lines, **sampling)
        assert answer["translation"][0] == b"" and answer["lengths"][0] == 0
        assert answer["scores"][0] == 0
        assert pieces(answer, 0) == []
    assert answer["lengths"][1] > 0


def test_an_empty_batch_has_no_translation(serve):
    answer = serve("serving_default", text=np.zeros([0], object))
    assert answer["translation"].shape == (0,)


def test_a_long_sentence_is_cut_and_marked(serve):
    long = "red old " * 625
    answer = serve("serving_default", text=[long, "two"])
    assert len(long) == 5000
    assert answer["cut"].tolist() == [True, False]
    assert answer["source_pieces"].shape[1] == MAX_SOURCE_LENGTH
    longer = serve("serving_default", text=[long + " houses"])
    assert longer["translation"][0] == answer["translation"][0]
    scored = serve("score", source=[long, "two"], target=["zwei", "zwei"])
    assert scored["cut"].tolist() == [True, False]


def test_a_beam_finds_no_translation_longer_than_those_in_training(config, exports, serve):
    translator = exports[0].module
    assert translator.length_limits(tf.constant([[5, 6, 0], [0, 0, 0]])).numpy().tolist() == [
        int(config.max_ratio * 2) + 1,
        1,
    ]
    answer = serve("serving_default", text=LINES)
    for row, lengths in enumerate(answer["lengths"]):
        source = sum(map(bool, answer["source_pieces"][row]))
        assert lengths <= int(config.max_ratio * source) + 1


def test_unknown_characters_and_invalid_utf8_are_translated(serve):
    answer = serve("serving_default", text=[b"two\xffdogs", "two dogs", "two § dogs"])
    assert answer["source_pieces"][0].tolist() == answer["source_pieces"][1].tolist()
    assert answer["translation"][0] == answer["translation"][1]
    assert b"<unk>" not in answer["source_pieces"][0]
    assert b"<unk>" in answer["source_pieces"][2]


def test_the_translation_is_the_best_of_n(serve):
    lines = [source for source, _ in PAIRS[:8]]
    answer = serve("serving_default", text=lines)
    best = serve("n_best", text=lines)
    assert best["scores"].shape == (8, TINY["num_beams"])
    assert best["translations"][:, 0].tolist() == answer["translation"].tolist()
    np.testing.assert_allclose(best["scores"][:, 0], answer["scores"], rtol=1e-5)
    # Complete translations come first, then incomplete ones; each best first.
    assert (best["scores"][:, 0] > -np.inf).all()
    np.testing.assert_allclose(
        answer["scores"] * answer["lengths"], best["log_likelihoods"][:, 0], rtol=1e-5
    )


def test_samples_are_determined_by_their_seed(serve):
    lines = [source for source, _ in PAIRS[:8]]

    def drawn(*seed, temperature=1.0):
        return serve("sample", text=lines, seed=seed, temperature=temperature)["translation"]

    assert drawn(1, 2).tolist() == drawn(1, 2).tolist()
    assert drawn(1, 2).tolist() != drawn(1, 3).tolist()
    assert len(set(drawn(1, 2).tolist())) > 4
    # At almost no temperature the most probable piece is drawn, even among near ties.
    assert (
        drawn(1, 2, temperature=1e-6).tolist()
        == serve("greedy", text=lines)["translation"].tolist()
    )


def test_greedy_translations_get_the_score_of_their_search(exports):
    module = exports[0].module
    source, _ = module.encode(tf.constant([source for source, _ in PAIRS[:8]]))
    found = module.greedy_search(source)
    mask = tf.sequence_mask(found.lengths, TINY["max_length"])
    scored = score(module.decoder.step, found.tokens, *module.start(source), bos_id=BOS, mask=mask)
    np.testing.assert_allclose(scored.log_likelihoods, found.log_likelihoods, rtol=1e-4)
    assert (found.log_likelihoods.numpy() < -1).all()


def test_scores_are_the_log_probabilities_of_training(serve, trained_run, exports):
    """Step by step in the export, all steps at once in the trained network."""
    source, target = zip(*PAIRS[:10], strict=True)
    scored = serve("score", source=source, target=target)
    models = exports[0].extra
    ids = [encode(models[f"{side}.model"], lines) for side, lines in
           (("source", source), ("target", target))]  # fmt: skip
    inputs, targets, weights = batch(*ids)
    logits = load_model(trained_run)(inputs, training=False)
    log_p = keras.ops.log_softmax(logits).numpy()
    log_p = weights * np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    width = scored["log_probabilities"].shape[1]
    np.testing.assert_allclose(scored["log_probabilities"], log_p[:, :width], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scored["log_likelihoods"], log_p.sum(axis=1), rtol=1e-4)
    assert scored["lengths"].tolist() == weights.sum(axis=1).tolist()
    assert all(pieces(scored, row)[-1] == b"</s>" for row in range(10))


def test_the_decoder_attends_to_the_source_only(serve):
    answer = serve("serving_default", text=LINES)
    written = np.arange(answer["attention"].shape[1]) < answer["lengths"][:, None]
    real = answer["source_pieces"] != b""
    sums = (answer["attention"] * real[:, None]).sum(axis=-1)
    np.testing.assert_allclose(sums[written], 1, rtol=1e-5)
    assert not (answer["attention"] * ~real[:, None])[written].any()


def test_validation_and_the_export_agree(config, trained_run, exports, serve):
    data = load(config)
    scores = validation(config, load_model(trained_run), data)()
    source, target = zip(*data.dev, strict=True)
    given = serve("score", source=source, target=target)
    loss = -given["log_likelihoods"].sum() / given["lengths"].sum()
    assert scores["loss"] == pytest.approx(loss, rel=1e-4)
    functions = {name: s.concrete for name, s in exports[0].signatures.items()}
    greedily = translate_lines(functions, "greedy", source)
    assert quick_score(greedily, target) == pytest.approx(
        {name: value for name, value in scores.items() if name != "loss"}
    )


def test_validation_scores_the_current_weights(config, trained_run):
    model = load_model(trained_run)
    data = load(config)
    validate = validation(config, model, data)
    before, trained = validate(), model.get_weights()
    model.set_weights([0 * v for v in trained])  # all pieces are equally likely
    assert validate()["loss"] == pytest.approx(np.log(data.vocabulary.sizes[1]))
    model.set_weights(trained)
    assert validate() == before
