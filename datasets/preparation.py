"""Data sets that TensorFlow Datasets (TFDS) prepares once and then reads from disk.

TFDS keeps them in `~/tensorflow_datasets`, or in the folder given by the environment variable
`TFDS_DATA_DIR`. It downloads the files, unless they are in the folder given by
`SEQKIT_MANUAL_DIR`, and verifies their checksums.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from datasets.formats.lines import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

DATA_DIR, MANUAL_DIR = "TFDS_DATA_DIR", "SEQKIT_MANUAL_DIR"


class Source(NamedTuple):
    """The published files of a data set."""

    name: str
    url: str
    folder: str  # subfolder of the manual folder; the files may also be in the manual folder itself
    files: tuple[str, ...]  # each may be compressed in the manual folder, as `FILE.gz`
    archive: str | None = None  # a tar.gz of the files, accepted in the manual folder instead


def prepare(
    source: Source, make_builder: Callable[..., "tfds.core.DatasetBuilder"], **options: Any
) -> "tfds.core.DatasetBuilder":
    """Prepare a data set, unless it has been prepared before.

    Args:
        source: Published files of the data set.
        make_builder: Class of the builder, or a function that returns one.
        **options: Arguments of `make_builder` in addition to `data_dir`.

    Returns:
        The builder.

    Raises:
        DataError: If the files cannot be downloaded or differ from the published ones.
    """
    builder = make_builder(**options, data_dir=os.environ.get(DATA_DIR))
    finished = builder.data_path / "dataset_info.json"
    if finished.exists():
        return builder
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
    from tensorflow_datasets.core.download.util import DownloadError

    print(f"preparing {source.name} in {builder.data_dir}, once (about a minute)", file=sys.stderr)
    tfds.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        _copy_manual(source, Path(folder))
        config = tfds.download.DownloadConfig(manual_dir=folder, try_download_gcs=False)
        try:
            _check_reachable(source, Path(folder))
            builder.download_and_prepare(download_config=config)
        except NonMatchingChecksumError:
            raise _unavailable(source, "the files differ from the published ones") from None
        except (requests.RequestException, DownloadError) as error:
            raise _unavailable(source, f"the download failed ({type(error).__name__})") from None
        except OSError as error:
            if not finished.exists():  # otherwise another process has prepared it in the meantime
                raise DataError(
                    f"{builder.data_dir}: {error.strerror or error}; set {DATA_DIR} to another "
                    "folder"
                ) from None
    return builder


def examples(builder: "tfds.core.DatasetBuilder", split: str) -> Iterator[dict[str, Any]]:
    """Read the examples of a prepared data set.

    Args:
        builder: Builder of the data set.
        split: Name of the split in the builder.

    Yields:
        The features of each example, as NumPy values: texts are bytes, sequences are arrays.
    """
    # In batches: TFDS takes as long for a batch as for one example.
    for batch in builder.as_dataset(split=split).ragged_batch(1000):
        for example in zip(*(value.numpy() for value in batch.values()), strict=True):
            yield dict(zip(batch, example, strict=True))


def _copy_manual(source: Source, target: Path) -> None:
    """Copy the files from the manual folder, uncompressed."""
    if MANUAL_DIR not in os.environ:
        return
    manual = Path(os.environ[MANUAL_DIR])
    if not manual.is_dir():
        raise DataError(f"{MANUAL_DIR}={manual}: no such folder; check the path")
    for folder in (manual, manual / source.folder):  # files in the subfolder take precedence
        if source.archive and (folder / source.archive).exists():
            _unpack(folder / source.archive, source.files, target)
        for file in source.files:
            for path, opener in ((folder / f"{file}.gz", gzip.open), (folder / file, open)):
                if path.exists():
                    _copy(path, opener, target / file)


def _copy(path: Path, opener: Callable, target: Path) -> None:
    try:
        with opener(path, "rb") as read, target.open("wb") as write:
            shutil.copyfileobj(read, write)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}; download it again") from None


def _unpack(archive: Path, files: tuple[str, ...], target: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                if member.isfile() and (name := Path(member.name).name) in files:
                    (target / name).write_bytes(members.extractfile(member).read())
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive}: {error}; download it again") from None


def _check_reachable(source: Source, folder: Path) -> None:
    """Request the first missing file: without a network TFDS would retry for minutes."""
    import requests

    for file in source.files:
        if not (folder / file).exists():
            response = requests.head(source.url + file, allow_redirects=True, timeout=20)
            response.raise_for_status()
            return


def _unavailable(source: Source, reason: str) -> DataError:
    files = ", ".join(source.files[:3])
    if len(source.files) > 3:
        files += f" and {len(source.files) - 3} more"
    files += f", or {source.archive}," if source.archive else ""
    return DataError(
        f"{source.name} cannot be prepared: {reason}; get {files} from {source.url} and set the "
        f"environment variable {MANUAL_DIR} to their folder"
    )
