"""The pairs of Tatoeba: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

import os

from datasets.preparation import DATA_DIR, Source, prepared, text_columns
from datasets.tatoeba.splits import Split


def read_tatoeba(split: Split) -> dict[str, list[str]]:
    """Read a split of Tatoeba, English and German; `datasets.tatoeba.splits` says how it is made.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        Sentences by language, `en` and `de`, which translate each other; a sentence may come
        several times, with other translations. Short sentences come first.

    Raises:
        DataError: the file can't be downloaded, or is another than the published one.
    """
    from datasets.tatoeba import tatoeba_dataset_builder as tatoeba

    source = Source("Tatoeba", tatoeba.URL, "tatoeba", (tatoeba.FILE,))
    builder = prepared(tatoeba.Builder(data_dir=os.environ.get(DATA_DIR)), source)
    columns = text_columns(builder, split)
    return {"en": columns["english"], "de": columns["german"]}
