"""Version folders: complete or absent, never overwritten."""

import os
import shutil
import subprocess
import sys

import filelock
import pytest

from seqkit.export import latest_version, resolve, versions
from seqkit.export.versions import new_version


def write(root, version=None, text="new"):
    with new_version(root, version) as (staging, final):
        assert not final.exists()
        fill(staging, text)
    return final


def fill(folder, text="new"):
    """Write the files of a complete version."""
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-0"):
        (folder / name).write_text(text)


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock")


def test_versions_count_up_from_one_or_are_chosen(tmp_path):
    root = tmp_path / "model"
    assert [write(root).name, write(root).name, write(root, 10).name] == ["1", "2", "10"]
    assert write(root).name == "11"
    assert names(root) == ["1", "10", "11", "2"]


def test_other_folders_and_files_are_not_versions(tmp_path):
    for name in ["notes", "-1", "1.5", "٣", ".writing-9"]:
        (tmp_path / name).mkdir()
    (tmp_path / "12").write_text("a file")
    with pytest.raises(FileNotFoundError, match="no exported version"):
        latest_version(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"12: a file; give the folder of an export"):
        latest_version(tmp_path / "12")
    fill(tmp_path / "1")
    with pytest.raises(FileNotFoundError, match=rf"exports there: .*{tmp_path.name}"):
        latest_version(tmp_path.parent)
    shutil.rmtree(tmp_path / "1")
    fill(tmp_path / "007")
    assert latest_version(tmp_path).name == "007"
    assert write(tmp_path).name == "8"


@pytest.mark.parametrize("existing", ["3", "003"])
def test_an_existing_version_is_not_overwritten(tmp_path, existing):
    (tmp_path / existing).mkdir()
    (tmp_path / existing / "saved_model.pb").write_text("old")
    with pytest.raises(FileExistsError, match="3 exists; nothing written"):
        write(tmp_path, 3)
    assert (tmp_path / existing / "saved_model.pb").read_text() == "old"
    assert names(tmp_path) == [existing]


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "3").write_text("old")
    with pytest.raises(FileExistsError):
        write(tmp_path, 3)
    assert (tmp_path / "3").read_text() == "old"


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="disk full"):
            write(tmp_path)
    assert names(tmp_path) == []
    assert write(tmp_path).name == "1"


def another_process(root, statement):
    """Start a process that runs `statement` while it writes a version into `root`."""
    code = (
        "import os, runpy, sys\n"
        f"new_version = runpy.run_path({versions.__file__!r})['new_version']\n"
        f"with new_version({str(root)!r}, None) as (staging, final):\n"
        f"    {statement}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def test_a_killed_writer_leaves_no_version_and_is_cleaned_up_after(tmp_path):
    statement = "(staging / 'saved_model.pb').write_text('half'); os.kill(os.getpid(), 9)"
    assert another_process(tmp_path, statement).wait(60) == -9
    (left,) = names(tmp_path)
    assert left.startswith(".writing-")
    with pytest.raises(FileNotFoundError):
        latest_version(tmp_path)
    assert write(tmp_path).name == "1"
    assert names(tmp_path) == ["1"]


def test_a_running_writer_is_waited_for_and_not_cleaned_up(tmp_path):
    with new_version(tmp_path, None) as (staging, final):
        other = another_process(tmp_path, "(staging / 'saved_model.pb').write_text('second')")
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
        (staging / "saved_model.pb").write_text("first")
    assert other.wait(60) == 0
    assert final.name == "1" and (final / "saved_model.pb").read_text() == "first"
    assert (tmp_path / "2" / "saved_model.pb").read_text() == "second"


def test_without_locks_no_staging_folder_is_cleaned_up(tmp_path, monkeypatch):
    def no_locks(*args):
        raise OSError("no locks available")

    (tmp_path / ".writing-other").mkdir()
    monkeypatch.setattr(filelock.FileLock, "acquire", no_locks)
    assert write(tmp_path).name == "1"
    assert names(tmp_path) == [".writing-other", "1"]


def test_negative_version_is_refused(tmp_path):
    with pytest.raises(ValueError, match="version must be an integer >= 0, got -1"):
        write(tmp_path, -1)


def test_resolve_takes_a_version_or_the_folder_of_all(tmp_path):
    write(tmp_path)
    newest = write(tmp_path)
    assert resolve(tmp_path) == newest
    assert resolve(tmp_path / "1") == tmp_path / "1"
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        resolve(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index"])
def test_an_incomplete_version_is_passed_over_with_a_warning(tmp_path, file):
    write(tmp_path)
    newest = write(tmp_path)
    (newest / file).unlink()
    with pytest.warns(match=f"{tmp_path}: version 2 is incomplete; using 1"):
        assert resolve(tmp_path) == tmp_path / "1"
    with pytest.raises(FileNotFoundError, match=f"2: incomplete, no {file} in it"):
        resolve(newest)
    shutil.rmtree(tmp_path / "1")
    with pytest.raises(FileNotFoundError, match="version 2 is incomplete"):
        resolve(tmp_path)


def test_the_folder_of_versions_may_be_named_by_a_number(tmp_path):
    newest = write(tmp_path / "2026")
    assert resolve(tmp_path / "2026") == newest
