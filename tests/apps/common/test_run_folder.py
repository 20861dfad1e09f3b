import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.common.errors import UserError
from apps.common.files import write_json
from apps.common.run_folder import check_config, create, read_config


@dataclass(frozen=True)
class Config:
    units: int = 4
    rate: float = 0.5
    file: Path | None = None
    patience: int | None = 2


FACTS = {"data_checksum": "abc"}


def test_a_configuration_can_be_written_and_read(tmp_path):
    config = Config(rate=1.0, file=Path("a/b"), patience=None)
    create(tmp_path / "run", config, FACTS)
    assert read_config(tmp_path / "run", Config) == config


def test_a_run_resumes_with_the_same_configuration_and_data(tmp_path):
    create(tmp_path / "run", Config(), {**FACTS, "command": "first"})
    check_config(tmp_path / "run", Config())
    create(tmp_path / "run", Config(), {**FACTS, "command": "second"})
    assert json.loads((tmp_path / "run/run.json").read_text())["command"] == "first"


def test_another_configuration_is_refused_and_its_keys_are_named(tmp_path):
    create(tmp_path / "run", Config(), FACTS)
    with pytest.raises(UserError, match=r"units \(was 4, now 5\), rate \(was 0.5, now 0.1\)"):
        check_config(tmp_path / "run", Config(units=5, rate=0.1))


def test_other_data_are_refused(tmp_path):
    create(tmp_path / "run", Config(), FACTS)
    with pytest.raises(UserError, match="data have changed"):
        create(tmp_path / "run", Config(), {"data_checksum": "xyz"})


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"has files, but no config.json"):
        check_config(tmp_path, Config())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"unit": 4}', "unknown key 'unit'; did you mean units?"),
        ('{"zzz": 4}', "unknown key 'zzz'; choose among units, rate"),
        ('{"units": "4"}', "units must be int, not '4'"),
        ('{"units": true}', "units must be int, not True"),
        ('{"units": 4', "damaged"),
        ("[]", "not a configuration"),
        (None, "no such file"),
    ],
)
def test_bad_configurations_are_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=message.replace("?", r"\?")) as error:
        read_config(tmp_path, Config)
    assert str(tmp_path / "config.json") in str(error.value)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", _circle())
    assert json.loads((tmp_path / "a.json").read_text()) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def _circle():
    circle = {}
    circle["self"] = circle
    return circle
