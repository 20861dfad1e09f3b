"""Docstring examples are collected from every module; JAX is optional."""

import gc
import importlib.util
import os
import random

import numpy as np
import pytest

collect_ignore = [] if importlib.util.find_spec("jax") else ["seqkit/backend/jax.py"]
# Tracing creates many objects and hardly any cycles: collecting less often saves a tenth.
gc.set_threshold(100_000, 50, 50)
if "PYTEST_XDIST_WORKER" in os.environ:  # one core per worker
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    """Seed what Keras draws seeds from; `keras.utils.set_random_seed` would reset TensorFlow."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
