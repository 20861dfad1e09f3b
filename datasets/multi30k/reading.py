"""Multi30k: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

from typing import Literal, NamedTuple

from datasets.preparation import Source, examples, prepare
from datasets.splits import Split

Config = Literal["task1_raw", "task1_tok"]

SPLITS = {"train": "train", "dev": "validation", "test": "test2016"}


class Descriptions(NamedTuple):
    """Descriptions of one image that are translations of each other."""

    en: str
    de: str
    fr: str


def read_multi30k(split: Split, config: Config = "task1_raw") -> list[Descriptions]:
    """Read a split of Multi30k, task 1.

    Args:
        split: `train`, `dev` (validation) or `test` (test2016).
        config: `task1_raw`: as written; `task1_tok`: lower-cased, normalized, tokenized by Moses.

    Returns:
        The descriptions, in the order of the files.

    Raises:
        DataError: If the files cannot be downloaded or differ from the published ones.
    """
    from datasets.multi30k import multi30k_dataset_builder as multi30k

    source = Source(
        f"Multi30k {config}",
        multi30k.URL + multi30k.FOLDERS[config],
        f"multi30k/{config}",
        tuple(file for files in multi30k.files(config).values() for file in files.values()),
    )
    builder = prepare(source, multi30k.Builder, config=config)
    return [
        Descriptions(*(example[language].decode() for language in Descriptions._fields))
        for example in examples(builder, SPLITS[split])
    ]
