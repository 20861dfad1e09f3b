"""What is served, of a model that knows nothing: it must still agree with itself."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps import translator
from apps.common import run_folder
from apps.common.commands import load_model
from apps.translator.config import Config
from apps.translator.data import batch, load
from apps.translator.evaluation import translate_lines, validation
from apps.translator.scores import quick_score
from apps.translator.serving import IDS_SHAPE, LONGEST
from apps.translator.subwords import BOS, EOS, encode
from seqkit.decoding import score
from tests.apps.translator.conftest import PAIRS, TINY

pytestmark = pytest.mark.slow

LINES = ["one red dogs", "", "five green houses two old cats", "  ", "§ Zyx 日本", "two"]


@pytest.fixture(scope="module")
def config(trained_run):
    return run_folder.read_config(trained_run, Config)


@pytest.fixture(scope="module")
def exports(trained_run, config):
    return translator.export(config, trained_run)


@pytest.fixture(scope="module")
def served(exports):
    """Functions of lines and arrays to arrays."""
    functions = {name: s.concrete for name, s in exports[0].signatures.items()}

    def serve(name, **inputs):
        answer = functions[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: tensor.numpy() for key, tensor in answer.items()}

    return serve


def pieces(answer, row):
    return [piece for piece in answer["pieces"][row] if piece]


@pytest.mark.parametrize("name", ["serving_default", "greedy"])
def test_the_batch_changes_no_answer(served, name):
    together = served(name, text=LINES)
    for row, line in enumerate(LINES):
        alone = served(name, text=[line])
        assert together["translation"][row] == alone["translation"][0]
        assert pieces(together, row) == pieces(alone, 0)
        np.testing.assert_allclose(together["scores"][row], alone["scores"][0], rtol=1e-5)
    assert len({len(pieces(together, row)) for row in range(len(LINES))}) > 1


@pytest.mark.parametrize("name", ["serving_default", "greedy", "sample"])
def test_an_empty_sentence_has_an_empty_translation(served, name):
    chance = {"seed": [1, 2], "temperature": 1.0} if name == "sample" else {}
    for lines in ([""], ["", " "], ["", "two"]):
        answer = served(name, text=lines, **chance)
        assert answer["translation"][0] == b"" and answer["lengths"][0] == 0
        assert answer["scores"][0] == 0
        assert pieces(answer, 0) == []
    assert answer["lengths"][1] > 0


def test_a_batch_of_no_sentence_has_no_translation(served):
    answer = served("serving_default", text=np.zeros([0], object))
    assert answer["translation"].shape == (0,)


def test_of_a_long_sentence_the_beginning_is_translated_and_it_says_so(served):
    long = "red old " * 625
    answer = served("serving_default", text=[long, "two"])
    assert len(long) == 5000
    assert answer["cut"].tolist() == [True, False]
    assert answer["source_pieces"].shape[1] == LONGEST
    longer = served("serving_default", text=[long + " houses"])
    assert longer["translation"][0] == answer["translation"][0]
    scored = served("score", source=[long, "two"], target=["zwei", "zwei"])
    assert scored["cut"].tolist() == [True, False]


def test_unknown_characters_and_invalid_utf8_are_answered(served):
    answer = served("serving_default", text=[b"two\xffdogs", "two dogs", "two § dogs"])
    assert answer["source_pieces"][0].tolist() == answer["source_pieces"][1].tolist()
    assert answer["translation"][0] == answer["translation"][1]
    assert b"<unk>" not in answer["source_pieces"][0]
    assert b"<unk>" in answer["source_pieces"][2]


def test_the_best_of_n_is_the_answer(served):
    lines = [source for source, _ in PAIRS[:8]]
    answer = served("serving_default", text=lines)
    best = served("n_best", text=lines)
    assert best["scores"].shape == (8, TINY["num_beams"])
    assert best["translations"][:, 0].tolist() == answer["translation"].tolist()
    np.testing.assert_allclose(best["scores"][:, 0], answer["scores"], rtol=1e-5)
    # Those that ended come first, then those that were cut; each kind from the best.
    assert (best["scores"][:, 0] > -np.inf).all()
    np.testing.assert_allclose(
        answer["scores"] * answer["lengths"], best["log_likelihoods"][:, 0], rtol=1e-5
    )


def test_a_sample_is_a_function_of_its_seed(served):
    lines = [source for source, _ in PAIRS[:8]]

    def drawn(*seed, temperature=1.0):
        return served("sample", text=lines, seed=seed, temperature=temperature)["translation"]

    assert drawn(1, 2).tolist() == drawn(1, 2).tolist()
    assert drawn(1, 2).tolist() != drawn(1, 3).tolist()
    assert len(set(drawn(1, 2).tolist())) > 4
    # Almost no temperature: the most probable piece, of those that are nearly as probable, too.
    assert (
        drawn(1, 2, temperature=1e-6).tolist()
        == served("greedy", text=lines)["translation"].tolist()
    )


def test_greedy_translations_are_scored_as_they_were_found(exports):
    module = exports[0].module
    source, _ = module.read(tf.constant([source for source, _ in PAIRS[:8]]))
    found = module.greedy_ids(source)
    state, memory = module.steps.begin(source)
    mask = tf.sequence_mask(found.lengths, TINY["max_length"])
    scored = score(module.steps.step, found.tokens, state, memory, bos_id=BOS, mask=mask)
    np.testing.assert_allclose(scored.log_likelihoods, found.log_likelihoods, rtol=1e-4)
    assert (found.log_likelihoods.numpy() < -1).all()


def test_scores_are_the_log_probabilities_of_training(served, trained_run, exports):
    """Step by step, and all steps at once by the network that was trained."""
    source, target = zip(*PAIRS[:10], strict=True)
    scored = served("score", source=source, target=target)
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


def test_the_decoder_looks_at_the_source_and_nowhere_else(served):
    answer = served("serving_default", text=LINES)
    written = np.arange(answer["attention"].shape[1]) < answer["lengths"][:, None]
    real = answer["source_pieces"] != b""
    sums = (answer["attention"] * real[:, None]).sum(axis=-1)
    np.testing.assert_allclose(sums[written], 1, rtol=1e-5)
    assert not (answer["attention"] * ~real[:, None])[written].any()


def test_validation_and_serving_agree(config, trained_run, exports, served):
    data = load(config)
    scores = validation(config, load_model(trained_run), data)()
    source, target = zip(*data.dev, strict=True)
    given = served("score", source=source, target=target)
    loss = -given["log_likelihoods"].sum() / given["lengths"].sum()
    assert scores["loss"] == pytest.approx(loss, rel=1e-4)
    functions = {name: s.concrete for name, s in exports[0].signatures.items()}
    greedily = translate_lines(functions, "greedy", source)
    assert quick_score(greedily, target) == pytest.approx(
        {name: value for name, value in scores.items() if name != "loss"}
    )


def test_validation_scores_the_weights_of_the_moment(config, trained_run):
    model = load_model(trained_run)
    data = load(config)
    validate = validation(config, model, data)
    before, trained = validate(), model.get_weights()
    model.set_weights([0 * v for v in trained])  # all pieces are as likely
    assert validate()["loss"] == pytest.approx(np.log(data.subwords.sizes[1]))
    model.set_weights(trained)
    assert validate() == before


def test_ids_are_answered_like_text_by_core_operations_under_xla(exports, served, tmp_path):
    from seqkit.export import write

    _, exported = exports
    models = exported.extra
    (example,) = exported.examples["serving_default"]
    assert example["source"].shape == IDS_SHAPE
    path = write(tmp_path, exported.module, exported.signatures, exported.examples, "")
    model = tf.saved_model.load(path)  # which owns the variables
    loaded = model.signatures["serving_default"]
    lines = [source for source, _ in PAIRS[: IDS_SHAPE[0]]]
    source = np.zeros(IDS_SHAPE, "int32")
    for row, ids in enumerate(encode(models["source.model"], lines)):
        source[row, : len(ids)] = ids
    answer = loaded(source=tf.constant(source))
    by_text = served("greedy", text=lines)
    assert answer["lengths"].numpy().tolist() == by_text["lengths"].tolist()
    np.testing.assert_allclose(answer["scores"], by_text["scores"], rtol=1e-5)
    assert (answer["tokens"].numpy() == EOS).sum() == (by_text["pieces"] == b"</s>").sum()
    compiled = tf.function(loaded, jit_compile=True)(source=tf.constant(source))
    assert compiled["tokens"].numpy().tolist() == answer["tokens"].numpy().tolist()
    graph = loaded.graph.as_graph_def()
    operations = {
        n.op
        for f in [graph, *graph.library.function]
        for n in getattr(f, "node", None) or f.node_def
    }
    assert not {op for op in operations if "String" in op or "Sentencepiece" in op}
