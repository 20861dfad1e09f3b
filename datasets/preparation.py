"""Let TensorFlow Datasets (TFDS) prepare a dataset once; then it is read from disk.

TFDS keeps it in `~/tensorflow_datasets`, or in the folder that `TFDS_DATA_DIR` names. It downloads
the files, unless they lie in the folder that `SEQKIT_MANUAL_DIR` names, and compares their
checksums.
"""

import contextlib
import gzip
import io
import os
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from datasets.formats.lines import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

DATA_DIR, MANUAL_DIR = "TFDS_DATA_DIR", "SEQKIT_MANUAL_DIR"


class Source(NamedTuple):
    """Where the files of a dataset are."""

    name: str
    url: str
    folder: str  # in the manual folder, where they may also lie flat
    files: tuple[str, ...]  # each may be compressed, as `FILE.gz`
    archive: str | None = None  # a tar.gz that holds them, and may lie there instead


def prepared(builder: "tfds.core.DatasetBuilder", source: Source) -> "tfds.core.DatasetBuilder":
    """Prepare a dataset, if that wasn't done yet.

    Args:
        builder: of the dataset, with `data_dir` from `TFDS_DATA_DIR`.
        source: of its files.

    Returns:
        The builder.

    Raises:
        DataError: the files can't be downloaded, or are others than those published.
    """
    finished = builder.data_path / "dataset_info.json"
    if finished.exists():
        return builder
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
    from tensorflow_datasets.core.download.util import DownloadError

    print(f"preparing {source.name} in {builder.data_dir}, once: about a minute", file=sys.stderr)
    tfds.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        _copy_manual(source, Path(folder))
        try:
            _reach_missing(source, Path(folder))
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(
                    manual_dir=folder, try_download_gcs=False
                )
            )
        except NonMatchingChecksumError:
            raise _unavailable(source, "the files are not those published") from None
        except (requests.RequestException, DownloadError) as error:
            raise _unavailable(source, f"the download failed ({type(error).__name__})") from None
        except OSError as error:
            if not finished.exists():  # else another process was faster
                raise DataError(
                    f"{builder.data_dir}: {error.strerror or error}; {DATA_DIR} can name another "
                    "folder"
                ) from None
    return builder


def text_columns(builder: "tfds.core.DatasetBuilder", split: str) -> dict[str, list[str]]:
    """Read the features of a prepared dataset, all of them texts.

    Args:
        builder: of the dataset.
        split: as the builder calls it.

    Returns:
        For each feature its values, example by example.
    """
    columns = {name: [] for name in builder.info.features}
    # In batches, since TFDS takes as long for one as for an example.
    for batch in builder.as_dataset(split=split).batch(1000):
        for name, values in batch.items():
            columns[name] += [value.decode() for value in values.numpy()]
    return columns


def _copy_manual(source: Source, target: Path) -> None:
    """Copy the files that lie in the manual folder, as they are published."""
    if MANUAL_DIR not in os.environ:
        return
    manual = Path(os.environ[MANUAL_DIR])
    if not manual.is_dir():
        raise DataError(f"{MANUAL_DIR}={manual}: there is no such folder; check the path")
    for folder in (manual, manual / source.folder):  # what lies in its own folder counts
        if source.archive and (folder / source.archive).exists():
            _unpack(folder / source.archive, source.files, target)
        for file in source.files:
            for path, opened in ((folder / f"{file}.gz", gzip.open), (folder / file, open)):
                if path.exists():
                    _copy(path, opened, target / file)


def _copy(path: Path, opened: Callable, target: Path) -> None:
    try:
        with opened(path, "rb") as read, target.open("wb") as write:
            shutil.copyfileobj(read, write)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}; download it anew") from None


def _unpack(archive: Path, files: tuple[str, ...], target: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                if member.isfile() and (name := Path(member.name).name) in files:
                    (target / name).write_bytes(members.extractfile(member).read())
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive}: {error}; download it anew") from None


def _reach_missing(source: Source, folder: Path) -> None:
    """Ask for the first file that must be downloaded: TFDS would try for minutes."""
    import requests

    for file in source.files:
        if not (folder / file).exists():
            answer = requests.head(source.url + file, allow_redirects=True, timeout=20)
            answer.raise_for_status()
            return


def _unavailable(source: Source, reason: str) -> DataError:
    files = ", ".join(source.files[:3])
    if len(source.files) > 3:
        files += f" and {len(source.files) - 3} more"
    files += f", or {source.archive}," if source.archive else ""
    return DataError(
        f"{source.name} cannot be prepared: {reason}; get {files} from {source.url} and name their "
        f"folder in the environment variable {MANUAL_DIR}"
    )
