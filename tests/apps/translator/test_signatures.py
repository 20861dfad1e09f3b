"""The exports of a run folder: titles, and the export with static shapes."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from apps import translator
from apps.common.answers import call
from apps.common.errors import UserError
from apps.translator.config import Config, PredictOptions
from apps.translator.data import load
from apps.translator.model import build
from apps.translator.prediction import predict
from apps.translator.signatures import IDS_SHAPE, _title
from apps.translator.subwords import EOS, encode
from seqkit.export import write
from tests.apps.translator.conftest import PAIRS, TINY


def test_the_title_names_the_languages_that_are_known(tmp_path):
    config = Config(dataset="multi30k", target="fr")
    assert _title(config) == "From English to French"
    own = replace(config, train_file=tmp_path / "train.tsv", dev_file=tmp_path / "dev.tsv")
    assert _title(own) == "Translator"


@pytest.mark.slow
def test_exports_hold_the_models_of_their_pieces(exports, exported_run):
    for side in ("source.model", "target.model"):
        learned = (exported_run / side).read_bytes()
        assert [exported.extra[side] for exported in exports] == [learned] * 2
        copy = exported_run / "export/translator/1/assets.extra" / side
        assert copy.read_bytes() == learned


@pytest.mark.slow
def test_a_model_without_attention_answers_but_has_none_to_draw(pairs_file, tmp_path):
    changes = {"attention": "none", "cell": "lstm", "layers": 2}
    config = Config(train_file=pairs_file, dev_file=pairs_file, **TINY, **changes)
    data = load(config)
    model = build(config, data)
    assert np.isfinite(model.train_on_batch(*next(iter(data.batches(epoch=1)))))
    data.save(tmp_path)
    model.save(tmp_path / "model.keras")
    text, ids = translator.export(config, tmp_path)
    for exported in (text, ids):
        for name, examples in exported.examples.items():
            assert all(call(exported.signatures[name].concrete, **example) for example in examples)
    functions = {name: signature.concrete for name, signature in text.signatures.items()}
    with pytest.raises(UserError, match="trained without attention"):
        list(predict(PredictOptions(attention=tmp_path / "a.png"), functions, [["two"]]))


@pytest.mark.slow
def test_ids_are_translated_like_text_by_core_operations_under_xla(exports, serve, tmp_path):
    _, exported = exports
    models = exported.extra
    (example,) = exported.examples["serving_default"]
    assert example["source"].shape == IDS_SHAPE
    path = write(tmp_path, exported.module, exported.signatures, exported.examples, "")
    model = tf.saved_model.load(path)  # owns the variables
    loaded = model.signatures["serving_default"]
    lines = [source for source, _ in PAIRS[: IDS_SHAPE[0]]]
    source = np.zeros(IDS_SHAPE, "int32")
    for row, ids in enumerate(encode(models["source.model"], lines)):
        source[row, : len(ids)] = ids
    answer = loaded(source=tf.constant(source))
    by_text = serve("greedy", text=lines)
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
