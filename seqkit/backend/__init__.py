"""What `keras.ops` lacks for recurrence; the only package that depends on the Keras backend.

scan(step, initial, sequence)          carries a state along the leading axis of a sequence
side_by_side(loop, ...)                a loop over time, compiled, parts of the batch in parallel
custom_gradient(function)              a function with its own backward pass
read(weight)                           a weight as a tensor, read once for all steps of a loop
is_concrete(x)                         if the values of a tensor are known, outside of graphs
find_loops(function, ...)              how the graph of a function runs its loops
"""

import keras

if keras.backend.backend() == "tensorflow":
    from seqkit.backend.tensorflow import (
        custom_gradient,
        find_loops,
        is_concrete,
        read,
        scan,
        side_by_side,
    )
elif keras.backend.backend() == "jax":
    from seqkit.backend.jax import (
        custom_gradient,
        find_loops,
        is_concrete,
        read,
        scan,
        side_by_side,
    )
else:
    raise ImportError(
        f"seqkit runs on Keras's tensorflow and jax backends, not on "
        f"{keras.backend.backend()!r}; set the environment variable KERAS_BACKEND to one of them"
    )

__all__ = ["custom_gradient", "find_loops", "is_concrete", "read", "scan", "side_by_side"]
