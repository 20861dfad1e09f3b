"""Docstring examples are looked for in every module; JAX is an extra."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("jax") else ["seqkit/backend/jax.py"]
