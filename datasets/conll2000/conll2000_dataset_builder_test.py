"""TFDS test case of the builder, on invented sentences."""

import tensorflow_datasets as tfds

from datasets.conll2000 import conll2000_dataset_builder


class Conll2000Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = conll2000_dataset_builder.Builder
    SPLITS = {"train": 3, "test": 2}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = {"train": "train.txt", "test": "test.txt"}  # noqa: RUF012
