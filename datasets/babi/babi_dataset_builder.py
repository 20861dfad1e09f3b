"""TFDS builder of bAbI: questions about short stories, answers and supporting facts."""

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
    """Return the file name of each task.

    Example:
        >>> files("train")[0]
        'qa1_single-supporting-fact_train.txt'
    """
    return [f"qa{number}_{task}_{split}.txt" for number, task in enumerate(TASKS, start=1)]


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of bAbI in English; reads the files from the manual folder if they are there."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES = {"1.1.0": "Version 1.1 of the tasks."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features of an example."""
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
            disable_shuffling=True,  # keep the order of the stories
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Locate the files of each split."""
        paths = dl_manager.download(
            {split: [URL + name for name in files(split)] for split in ("train", "test")}
        )
        return {
            # TFDS renames downloaded files: their position gives the task.
            split: self._generate_examples(dict(enumerate(by_task, start=1)))
            for split, by_task in paths.items()
        }

    def _generate_examples(self, paths: dict[int, Path]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the questions in the files of a split."""
        index = 0
        for task, path in paths.items():
            for question in read_stories(path):
                yield index, {**question._asdict(), "task": task}
                index += 1
