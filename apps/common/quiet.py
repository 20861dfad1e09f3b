"""TensorFlow without the lines that it prints on stderr before it knows its log level."""

import os
import sys

# 3: its errors reach Python as exceptions; what it logs besides is about its own build.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_tensorflow() -> None:
    """Import TensorFlow and let it find its devices, with stderr turned away."""
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
