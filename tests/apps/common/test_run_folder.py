import json
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.common.config import TrainConfig
from apps.common.errors import UserError
from apps.common.files import write_json
from apps.common.run_folder import (
    CONFIG,
    RUN,
    check_config,
    create,
    read_config,
    read_facts,
    read_run,
)


@dataclass(frozen=True)
class Config:
    units: int = 4
    rate: float = 0.5
    file: Path | None = None
    patience: int | None = 2


APP = types.SimpleNamespace(NAME="parser", Config=Config, __name__="apps.parser")
FACTS = {"app": "parser", "command": "train", "commit": "", "data_checksum": "abc"}


def test_a_configuration_can_be_written_and_read(tmp_path):
    config = Config(rate=1.0, file=Path("a/b"), patience=None)
    create(tmp_path / "run", config, FACTS)
    assert read_config(tmp_path / "run", Config) == config


def test_a_run_resumes_with_the_same_configuration_and_data(tmp_path):
    create(tmp_path / "run", Config(), {**FACTS, "command": "first"})
    check_config(tmp_path / "run", Config(), APP)
    create(tmp_path / "run", Config(), {**FACTS, "command": "second"})
    assert json.loads((tmp_path / "run/run.json").read_text())["command"] == "first"


def test_another_configuration_is_refused_and_its_keys_are_named(tmp_path):
    create(tmp_path / "run", Config(), FACTS)
    with pytest.raises(UserError, match=r"units \(was 4, now 5\), rate \(was 0.5, now 0.1\)"):
        check_config(tmp_path / "run", Config(units=5, rate=0.1), APP)


def test_other_data_are_refused(tmp_path):
    create(tmp_path / "run", Config(), FACTS)
    with pytest.raises(UserError, match="data have changed"):
        create(tmp_path / "run", Config(), {"data_checksum": "xyz"})


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"has files, but no config.json"):
        check_config(tmp_path, Config(), APP)


def test_a_run_that_was_killed_while_it_was_created_can_be_resumed(tmp_path):
    create(tmp_path / "run", Config(), FACTS)
    (tmp_path / "run" / RUN).unlink()
    check_config(tmp_path / "run", Config(), APP)
    create(tmp_path / "run", Config(), FACTS)
    assert read_run(tmp_path / "run", APP) == (Config(), FACTS)


def test_a_run_of_another_app_is_refused(tmp_path):
    other = {"app": "tagger", "command": "python -m apps.tagger train"}
    create(tmp_path / "run", Config(), {**FACTS, **other})
    for read in (read_run, lambda run, app: check_config(run, Config(units=5), app)):
        with pytest.raises(
            UserError,
            match=r"run: belongs to the tagger app, not the parser; use python -m apps.tagger",
        ):
            read(tmp_path / "run", APP)


def test_a_folder_that_is_not_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"not a run, it has no config.json; give a folder"):
        read_run(tmp_path, APP)
    (tmp_path / "1").mkdir()
    (tmp_path / "1/saved_model.pb").touch()
    with pytest.raises(UserError, match="an export, not a run; use --saved_model"):
        read_run(tmp_path, APP)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file: a file; choose another --run folder"):
        check_config(tmp_path / "file", Config(), APP)


def test_facts_that_are_damaged_are_reported(tmp_path):
    create(tmp_path, Config(), FACTS)
    for text in ("[]", "{}"):
        (tmp_path / RUN).write_text(text)
        with pytest.raises(UserError, match=f"{tmp_path / RUN}: damaged"):
            read_run(tmp_path, APP)
    assert (tmp_path / CONFIG).exists()


def test_a_run_can_get_more_epochs_but_not_fewer(tmp_path):
    create(tmp_path, TrainConfig(epochs=10), FACTS)
    more = TrainConfig(epochs=20, patience=3)
    check_config(tmp_path, more, APP)
    create(tmp_path, more, FACTS | {"command": "train --epochs 20"})
    assert read_config(tmp_path, TrainConfig) == more
    assert read_facts(tmp_path, APP) == FACTS | {"command": "train --epochs 20"}
    with pytest.raises(
        UserError, match=r"epochs \(was 20, now 10\).*a run can only get more epochs"
    ):
        check_config(tmp_path, TrainConfig(epochs=10, patience=3), APP)
    with pytest.raises(UserError, match=r"seed \(was 1, now 2\)"):
        check_config(tmp_path, TrainConfig(epochs=30, patience=3, seed=2), APP)


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
