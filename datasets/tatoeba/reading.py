"""Tatoeba: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

from datasets.formats.pairs import Pair
from datasets.preparation import Source, examples, prepare
from datasets.splits import Split


def read_tatoeba(split: Split) -> list[Pair]:
    """Read a split of Tatoeba; `datasets.tatoeba.splits` defines the splits.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        English sentences and their German translations, short sentences first. A sentence with
        several translations occurs once with each.

    Raises:
        DataError: If the file cannot be downloaded or differs from the published one.
    """
    from datasets.tatoeba import tatoeba_dataset_builder as tatoeba

    source = Source("Tatoeba", tatoeba.URL, "tatoeba", (tatoeba.FILE,))
    return [
        Pair(example["english"].decode(), example["german"].decode())
        for example in examples(prepare(source, tatoeba.Builder), split)
    ]
