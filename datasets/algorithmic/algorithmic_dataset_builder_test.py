"""TFDS test case of the builder; its examples are the sequences that apps score."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from datasets.algorithmic import algorithmic_dataset_builder
from datasets.algorithmic.tasks import fixed_set, task


class PrioritySortTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = algorithmic_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ["priority_sort"]  # noqa: RUF012
    SPLITS = {"dev": 200, "test": 200}  # noqa: RUF012
    EXAMPLE_DIR = Path(__file__).parent  # nothing is read

    def test_examples_are_those_that_apps_score(self) -> None:
        builder = algorithmic_dataset_builder.Builder(
            data_dir=self.tmp_dir, config="associative_recall"
        )
        builder.download_and_prepare()
        examples = list(builder.as_dataset(split="test").as_numpy_iterator())
        chosen = task("associative_recall", bits=6)
        assert [tuple(example["size"]) for example in examples[::100]] == list(chosen.sizes)
        for size, start in zip(chosen.sizes, range(0, 600, 100), strict=True):
            for example, sequence in zip(
                examples[start : start + 100], fixed_set(chosen, "test", size), strict=True
            ):
                for name, values in sequence._asdict().items():
                    np.testing.assert_array_equal(example[name], values)


def test_every_task_has_a_config_with_the_bits_of_the_paper() -> None:
    configs = algorithmic_dataset_builder.Builder.BUILDER_CONFIGS
    assert {config.name: config.task.output_size for config in configs} == {
        "copy": 8,
        "repeat_copy": 9,  # with the end mark
        "associative_recall": 6,
        "priority_sort": 8,
    }
