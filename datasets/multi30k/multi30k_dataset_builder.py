"""TFDS builder of Multi30k, task 1: translated image descriptions."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from datasets.formats.lines import decode_lines

URL = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/"
)
LANGUAGES = ("en", "de", "fr")
FILES = {"train": "train", "validation": "val", "test2016": "test_2016_flickr"}
FOLDERS = {"task1_raw": "raw/", "task1_tok": "tok/"}
ENDINGS = {"task1_raw": "{language}.gz", "task1_tok": "lc.norm.tok.{language}"}


def files(config: str) -> dict[str, dict[str, str]]:
    """Return the file name of each split and language.

    Example:
        >>> files("task1_tok")["validation"]["de"]
        'val.lc.norm.tok.de'
    """
    return {
        split: {code: f"{file}.{ENDINGS[config].format(language=code)}" for code in LANGUAGES}
        for split, file in FILES.items()
    }


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of Multi30k, task 1; reads the files from the manual folder if they are there."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name="task1_raw", description="As written."),
        tfds.core.BuilderConfig(
            name="task1_tok", description="Lower-cased, punctuation normalized, tokenized by Moses."
        ),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features of an example."""
        features = tfds.features
        return self.dataset_info_from_configs(
            features=features.FeaturesDict({code: features.Text() for code in LANGUAGES}),
            homepage="https://github.com/multi30k/dataset",
            disable_shuffling=True,  # outputs are compared line by line with published ones
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """Locate the files of each split."""
        config = self.builder_config.name
        paths = dl_manager.download(
            {
                split: {code: URL + FOLDERS[config] + file for code, file in by_language.items()}
                for split, by_language in files(config).items()
            }
        )
        return {split: self._generate_examples(by_language) for split, by_language in paths.items()}

    def _generate_examples(self, paths: dict[str, Path]) -> Iterator[tuple[int, dict[str, str]]]:
        """Read the sentences of the files of a split."""
        sentences = zip(*map(_lines, paths.values()), strict=True)
        for index, texts in enumerate(sentences):
            yield index, {code: text.strip() for code, text in zip(paths, texts, strict=True)}


def _lines(path: Path) -> Iterator[str]:
    content = Path(path).read_bytes()
    if content.startswith(b"\x1f\x8b"):  # gzip; TFDS's own extraction would start processes
        content = gzip.decompress(content)
    return decode_lines(io.BytesIO(content), str(path))
