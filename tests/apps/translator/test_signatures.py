"""The exports of a run folder: the card's facts, and the export with static shapes."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from apps.translator.config import Config
from apps.translator.signatures import IDS_SHAPE, _card
from apps.translator.subwords import EOS, encode
from seqkit.export import write
from tests.apps.translator.conftest import PAIRS


def test_the_card_of_a_data_set_and_of_the_users_pairs(tmp_path):
    config = Config(dataset="multi30k", target="fr")
    card = _card(config)
    assert card["title"] == "From English to French" and card["licence"].startswith("research only")
    own = replace(config, train_file=tmp_path / "train.tsv", dev_file=tmp_path / "dev.tsv")
    assert _card(own)["title"] == "Translator" and _card(own)["splits"] == ("dev",)


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
