"""TensorFlow Serving's warm-up: requests that a server replays before a version is available."""

from pathlib import Path

import tensorflow as tf

MAX_RECORDS = 1000  # TensorFlow Serving rejects a file with more


def save(version: Path, model: str, examples: dict[str, list[dict[str, tf.Tensor]]]) -> None:
    """Write `assets.extra/tf_serving_warmup_requests`.

    Args:
        version: Folder of the version.
        model: Name of the model on the server.
        examples: Inputs by signature; each signature has the same share of at most 1000 records.

    Raises:
        ModuleNotFoundError: If tensorflow-serving-api is not installed.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "warm-up records need tensorflow-serving-api: pip install 'seqkit[apps]' "
            "(in a clone: pip install -e '.[apps]')"
        ) from None
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(parents=True, exist_ok=True)
    share = MAX_RECORDS // len(examples)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in examples.items():
            for tensors in inputs[:share]:
                request = predict_pb2.PredictRequest(
                    inputs={k: tf.make_tensor_proto(v) for k, v in tensors.items()}
                )
                request.model_spec.name = model
                request.model_spec.signature_name = signature
                log = prediction_log_pb2.PredictionLog(
                    predict_log=prediction_log_pb2.PredictLog(request=request)
                )
                writer.write(log.SerializeToString())
