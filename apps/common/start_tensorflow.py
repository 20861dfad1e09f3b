"""Start of TensorFlow without log messages, and with freed memory kept by the process."""

import ctypes
import os
import platform
import sys

from apps.common.errors import UserError

# 3: no log messages; errors reach Python as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Otherwise the memory of large tensors is returned to the system after each step and faulted in
# again, which takes up to a third of a step's time.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def import_tensorflow() -> None:
    """Import TensorFlow and let it find its devices, with stderr suppressed.

    Raises:
        UserError: If another backend is chosen for Keras.
    """
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND is {backend!r}, but apps train on TensorFlow (layers run on JAX, too); "
            "to use them: unset KERAS_BACKEND"
        )
    if "tensorflow" in sys.modules:
        return
    _keep_memory()
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "wb") as devnull:  # noqa: PTH123
        os.dup2(devnull.fileno(), 2)
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _keep_memory() -> None:
    """Make glibc keep freed memory as well."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
