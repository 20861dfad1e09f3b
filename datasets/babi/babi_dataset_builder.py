"""bAbI: questions about short stories, with their answers and the facts that tell them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from datasets.babi.stories import read_stories

URL = (
    "https://raw.githubusercontent.com/iamtrask/Grokking-Deep-Learning/"
    "e665168b4aefe3256360951504103cf98827ca51/tasksv11/en/"
)
TASKS = (
    "single-supporting-fact",
    "two-supporting-facts",
    "three-supporting-facts",
    "two-arg-relations",
    "three-arg-relations",
    "yes-no-questions",
    "counting",
    "lists-sets",
    "simple-negation",
    "indefinite-knowledge",
    "basic-coreference",
    "conjunction",
    "compound-coreference",
    "time-reasoning",
    "basic-deduction",
    "basic-induction",
    "positional-reasoning",
    "size-reasoning",
    "path-finding",
    "agents-motivations",
)


def files(split: str) -> list[str]:
    """Name the file of each task.

    Example:
        >>> files("train")[0]
        'qa1_single-supporting-fact_train.txt'
    """
    return [f"qa{number}_{task}_{split}.txt" for number, task in enumerate(TASKS, start=1)]


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of bAbI in English; its files may lie in the manual folder."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES = {"1.1.0": "The tasks as of their version 1.1."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe an example."""
        features = tfds.features
        return self.dataset_info_from_configs(
            features=features.FeaturesDict(
                {
                    "task": np.int32,
                    "story": np.int32,
                    "facts": features.Sequence(features.Text()),
                    "question": features.Text(),
                    "answer": features.Text(),
                    "supporting": features.Sequence(np.int32),
                }
            ),
            supervised_keys=None,
            homepage="https://research.facebook.com/downloads/babi/",
            disable_shuffling=True,  # the questions stay in the order of their stories
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Find the files of each split."""
        paths = dl_manager.download(
            {split: [URL + name for name in files(split)] for split in ("train", "test")}
        )
        return {
            # A downloaded file has another name, so that the task is known by its place.
            split: self._generate_examples(dict(enumerate(of_split, start=1)))
            for split, of_split in paths.items()
        }

    def _generate_examples(self, paths: dict[int, Path]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the questions of the files of a split."""
        index = 0
        for task, path in paths.items():
            for question in read_stories(path):
                yield index, {**question._asdict(), "task": task}
                index += 1
