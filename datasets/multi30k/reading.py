"""The sentences of Multi30k: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

import os
from typing import Literal

from datasets.preparation import DATA_DIR, Source, prepared, text_columns

Config = Literal["task1_raw", "task1_tok"]

SPLITS = {"train": "train", "dev": "validation", "test": "test2016"}


def read_multi30k(
    split: Literal["train", "dev", "test"], config: Config = "task1_raw"
) -> dict[str, list[str]]:
    """Read a split of Multi30k, task 1.

    Args:
        split: `train`, `dev` (validation) or `test` (test2016).
        config: `task1_raw`: as written; `task1_tok`: lower-cased, normalised, tokenised by Moses.

    Returns:
        Sentences by language, `en`, `de` and `fr`, which translate each other; in order.

    Raises:
        DataError: the files can't be downloaded, or are others than those published.
    """
    from datasets.multi30k import multi30k_dataset_builder as multi30k

    names = [file for files in multi30k.files(config).values() for file in files.values()]
    source = Source(
        f"Multi30k {config}",
        multi30k.URL + multi30k.FOLDERS[config],
        f"multi30k/{config}",
        (*names,),
    )
    builder = multi30k.Builder(config=config, data_dir=os.environ.get(DATA_DIR))
    return text_columns(prepared(builder, source), SPLITS[split])
