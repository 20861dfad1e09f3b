"""TFDS test case of the builder, on invented stories."""

import tensorflow_datasets as tfds

from datasets.babi import babi_dataset_builder


class BabiTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = babi_dataset_builder.Builder
    SPLITS = {"train": 4, "test": 2}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = {  # noqa: RUF012
        "train": ["qa1_train.txt", "qa2_train.txt"],
        "test": ["qa1_test.txt"],
    }
