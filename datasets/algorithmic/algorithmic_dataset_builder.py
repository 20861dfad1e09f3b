"""TFDS builder of the algorithmic tasks: fixed dev and test sequences of each size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import tensorflow_datasets as tfds

from datasets.algorithmic.tasks import ITEM_BITS, Name, Split, Task, fixed_set, task


@dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """A task with the paper's number of bits and repeats."""

    task: Task


def _config(name: Name) -> Config:
    chosen = task(name, bits=ITEM_BITS) if name == "associative_recall" else task(name)
    return Config(name=name, task=chosen, description=f"{name} of Graves et al. 2014.")


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of the fixed sets; nothing is downloaded."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}  # noqa: RUF012
    BUILDER_CONFIGS = [_config(name) for name in get_args(Name)]  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features of an example."""
        chosen, features = self.builder_config.task, tfds.features
        return self.dataset_info_from_configs(
            features=features.FeaturesDict(
                {
                    "inputs": features.Tensor(shape=(None, chosen.input_size), dtype=np.float32),
                    "targets": features.Tensor(shape=(None, chosen.output_size), dtype=np.float32),
                    "weights": features.Tensor(shape=(None,), dtype=np.float32),
                    "size": features.Tensor(shape=(len(chosen.sizes[0]),), dtype=np.int64),
                }
            ),
            homepage="https://arxiv.org/abs/1410.5401",
            disable_shuffling=True,  # short sequences first
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Generate each split."""
        return {split: self._generate_examples(split) for split in get_args(Split)}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Draw the sequences of each size."""
        chosen, index = self.builder_config.task, 0
        for size in chosen.sizes:
            for sequence in fixed_set(chosen, split, size):
                yield index, {**sequence._asdict(), "size": np.array(size)}
                index += 1
