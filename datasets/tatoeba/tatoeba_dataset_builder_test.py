"""TFDS test case of the builder, on invented sentences."""

import tensorflow_datasets as tfds

from datasets.tatoeba import tatoeba_dataset_builder


class TatoebaTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = tatoeba_dataset_builder.Builder
    # One of seven pairs is dropped: its German side, except for punctuation, is also in test.
    SPLITS = {"train": 3, "dev": 2, "test": 1}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = "deu-eng.zip"
