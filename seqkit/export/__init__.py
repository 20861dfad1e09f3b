"""Export: a SavedModel with named signatures, and a test that it runs without Keras and seqkit.

`write` creates a version folder in TensorFlow Serving's layout; `self_test` replays its golden
examples in a fresh process that can import neither Keras nor seqkit. From the shell:
`python -m seqkit.export DIR`. `load` calls an export with Python values; it needs TensorFlow and
NumPy alone.
"""

from seqkit.export.card import model_card
from seqkit.export.golden import load_model
from seqkit.export.loading import ExportedModel, ExportedSignature, load
from seqkit.export.proof import SelfTestError, self_test
from seqkit.export.saved_model import Signature, write
from seqkit.export.versions import latest_version, resolve

__all__ = [
    "ExportedModel",
    "ExportedSignature",
    "SelfTestError",
    "Signature",
    "latest_version",
    "load",
    "load_model",
    "model_card",
    "resolve",
    "self_test",
    "write",
]
