import numpy as np
import pytest

from apps.common.batching import bucket_batches, in_batches, pad

WIDTHS = np.array([8] * 5 + [16] * 2)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("fill", ["repeat", "blank"])
def test_batches_are_full_and_contain_every_example(shuffled, fill):
    order = np.random.default_rng(0) if shuffled else None
    rows, widths = map(np.array, zip(*bucket_batches(WIDTHS, 3, order, fill), strict=True))
    assert rows.shape == (3, 3) and sorted(widths.tolist()) == [8, 8, 16]
    real = rows >= 0
    assert (WIDTHS[rows] == widths[:, None])[real].all()
    assert set(rows[real].tolist()) == set(range(7))
    assert real.all() if fill == "repeat" else real.sum() == 7


@pytest.mark.parametrize("fill", ["repeat", "blank"])
def test_a_batch_has_at_most_as_many_rows_as_there_are_examples(fill):
    batches = bucket_batches(WIDTHS, 10**9, fill=fill)
    assert [rows.shape for rows, _ in batches] == [(7,), (7,)]


def test_the_order_is_determined_by_the_generator():
    first, again, other = (
        [rows.tolist() for rows, _ in bucket_batches(WIDTHS, 3, np.random.default_rng(seed))]
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_results_are_in_the_order_of_the_items():
    batches = []

    def double(batch):
        batches.append(batch)
        return [2 * word for word in batch]

    words = ["ccc", "a", "bb", "dddd"]
    assert in_batches(double, words, batch_size=3, key=len) == [2 * word for word in words]
    assert batches == [["a", "bb", "ccc"], ["dddd"]]
    assert in_batches(double, []) == []


def test_a_function_that_loses_results_is_an_error():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        in_batches(lambda batch: batch[1:], [1, 2])


def test_rows_are_padded():
    assert pad([[1], [2, 3]], 0, width=3).tolist() == [[1, 0, 0], [2, 3, 0]]
    assert pad([], "").shape == (0,)
