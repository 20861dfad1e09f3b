"""TFDS builder of CoNLL-2000: sentences with parts of speech and chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from datasets.conll2000.reading import SOURCE
from datasets.formats.columns import read_columns


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of CoNLL-2000; reads the files from the manual folder if they are there."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features of an example."""
        folder, features = Path(__file__).parent, tfds.features
        return self.dataset_info_from_configs(
            features=features.FeaturesDict(
                {
                    "tokens": features.Sequence(features.Text()),
                    "pos": features.Sequence(features.ClassLabel(names_file=folder / "pos.txt")),
                    "chunks": features.Sequence(
                        features.ClassLabel(names_file=folder / "chunks.txt")
                    ),
                }
            ),
            homepage="https://www.clips.uantwerpen.be/conll2000/chunking/",
            disable_shuffling=True,  # keep the order of the Wall Street Journal
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Locate the file of each split."""
        paths = dl_manager.download(
            {split: f"{SOURCE.url}{split}.txt" for split in ("train", "test")}
        )
        return {split: self._generate_examples(path) for split, path in paths.items()}

    def _generate_examples(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the sentences of a file."""
        for index, sentence in enumerate(read_columns(path, "3", ["2"])):
            yield (
                index,
                {"tokens": sentence.words, "pos": sentence.auxiliary[0], "chunks": sentence.tags},
            )
