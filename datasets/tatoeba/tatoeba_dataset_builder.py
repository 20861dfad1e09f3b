"""TFDS builder of Tatoeba: English sentences and their German translations."""

import zipfile
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from datasets.formats.lines import decode_lines
from datasets.formats.pairs import Pair, parse_pairs
from datasets.tatoeba.splits import split_pairs

URL = "https://github.com/rioyshky/translation/raw/de48b7027f7318d77010a6e08ed928c10748c23d/"
FILE = "deu-eng.zip"
ATTRIBUTION = "tatoeba.org and www.manythings.org/anki, CC BY 2.0 FR"


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of Tatoeba; reads the file from the manual folder if it is there."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The file of 2018-05-13."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features of an example."""
        features = tfds.features
        return self.dataset_info_from_configs(
            features=features.FeaturesDict(
                {name: features.Text() for name in ("english", "german", "attribution")}
            ),
            supervised_keys=("english", "german"),
            homepage="https://tatoeba.org/",
            disable_shuffling=True,  # keep the order of the file: by length
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Locate the file and split its pairs."""
        path = dl_manager.download(URL + FILE)
        # TFDS's own extraction would start processes.
        with zipfile.ZipFile(path) as archive, archive.open("deu.txt") as file:
            splits = split_pairs(parse_pairs(decode_lines(file, "deu.txt"), "deu.txt"))
        return {split: self._generate_examples(pairs) for split, pairs in splits.items()}

    def _generate_examples(self, pairs: list[Pair]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the pairs of a split."""
        for index, (english, german) in enumerate(pairs):
            yield index, {"english": english, "german": german, "attribution": ATTRIBUTION}
