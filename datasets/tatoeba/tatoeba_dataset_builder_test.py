"""The builder on invented sentences, by TFDS's own test case."""

import tensorflow_datasets as tfds

from datasets.tatoeba import tatoeba_dataset_builder


class TatoebaTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = tatoeba_dataset_builder.Builder
    # Of seven pairs; the German side of one in train is also in test, but for a punctuation mark.
    SPLITS = {"train": 3, "dev": 2, "test": 1}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = "deu-eng.zip"
