"""TFDS test case of the builder, on invented sentences."""

import tensorflow_datasets as tfds

from datasets.multi30k import multi30k_dataset_builder


class Multi30kTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = multi30k_dataset_builder.Builder
    SPLITS = {"train": 3, "validation": 2, "test2016": 1}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = {  # noqa: RUF012
        split: {language: f"{file}.{language}" for language in ("en", "de", "fr")}
        for split, file in (("train", "train"), ("validation", "val"), ("test2016", "test"))
    }
