"""A training with a curriculum that goes by its own progress, killed five times."""

import pytest

import apps.copy_task.model  # noqa: F401 (registers what model.keras holds)
from tests.apps.common.training.test_fit import final
from tests.apps.kill import run, train_and_kill


@pytest.mark.slow
def test_five_kills_change_nothing(tmp_path):
    def program(name):
        options = {
            "run": tmp_path / name,
            "bits": 3,
            "max_length": 4,
            "units": 8,
            "memory_size": 8,
            "word_size": 4,
            "batch_size": 4,
            "curriculum": "prediction_gain",
            "steps_per_epoch": 250,
            "epochs": 5,
            "seed": 3,
        }
        arguments = [str(word) for k, v in options.items() for word in (f"--{k}", v)]
        return ["-m", "apps.copy_task", "train", *arguments]

    run(program("unbroken"))
    train_and_kill(program("killed"), tmp_path / "killed" / "checkpoint", spread=1.5)

    assert final(tmp_path / "killed") == final(tmp_path / "unbroken")
