"""Fixtures for data sets that TFDS prepares."""

import pytest


@pytest.fixture
def manual(tmp_path, monkeypatch):
    """Return an empty manual folder; TFDS uses another empty folder."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("SEQKIT_MANUAL_DIR", str(tmp_path / "manual"))
    (tmp_path / "manual").mkdir()
    return tmp_path / "manual"


@pytest.fixture
def any_checksum(monkeypatch):
    """Accept files that differ from the published ones."""
    manager = "tensorflow_datasets.core.download.download_manager.DownloadManager"
    monkeypatch.setattr(f"{manager}._register_or_validate_checksums", lambda *_, **__: None)
