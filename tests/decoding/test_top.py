"""The largest values of long rows, against a stable sort."""

import numpy as np
import pytest
from keras import ops

from seqkit.decoding.top import LONG, top_k


@pytest.mark.parametrize("n", [7, LONG, LONG + 1, 6007])
@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("values", ["different", "tied", "impossible", "equal"])
def test_it_is_the_start_of_a_stable_sort(n, k, values):
    random = np.random.default_rng(0)
    rows = {
        "different": random.standard_normal((20, n)),
        "tied": random.integers(0, 4, (20, n)),
        "impossible": np.where(random.random((20, n)) < 3 / n, 0.0, -np.inf),
        "equal": np.full((20, n), -np.inf),
    }[values].astype("float32")
    best, index = map(ops.convert_to_numpy, top_k(ops.convert_to_tensor(rows), k))
    wanted = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(index, wanted)
    np.testing.assert_array_equal(best, np.take_along_axis(rows, wanted, axis=1))


def test_no_rows():
    assert top_k(ops.zeros((0, LONG)), 3)[1].shape == (0, 3)
