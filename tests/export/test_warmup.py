"""Warm-up records, as TensorFlow Serving reads them."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from seqkit.export import warmup, write


def requests(version):
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(path))]
    return [prediction_log_pb2.PredictionLog.FromString(r).predict_log.request for r in records]


def test_the_golden_inputs_of_each_signature_are_recorded(tmp_path, export):
    recorded = requests(write(tmp_path / "tagger", **export))
    assert [r.model_spec.name for r in recorded] == ["tagger"] * 4
    assert [r.model_spec.signature_name for r in recorded] == ["serving_default"] * 3 + ["ids"]
    assert tf.make_ndarray(recorded[1].inputs["text"]).tolist()[0] == b"the\0"
    ids = tf.make_ndarray(recorded[3].inputs["ids"])
    assert ids.dtype == np.int32 and ids.tolist() == [[0, 1, 3]]


def test_at_most_a_thousand_records_shared_by_the_signatures(tmp_path):
    inputs = {"a": [{"x": tf.constant(i)} for i in range(900)], "b": [{"x": tf.constant(0)}] * 900}
    warmup.save(tmp_path, "m", inputs)
    recorded = [r.model_spec.signature_name for r in requests(tmp_path)]
    assert (recorded.count("a"), recorded.count("b")) == (500, 500)


def test_without_serving_api_the_error_names_the_package(tmp_path, export, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'seqkit\[apps\]'"):
        write(tmp_path / "tagger", **export)
    assert [path.name for path in (tmp_path / "tagger").iterdir()] == [".lock"]
