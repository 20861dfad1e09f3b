"""Defaults for small files of the user, and the hint if the model has learned nothing."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.common.config import UserDataConfig
from apps.common.data import SplitData
from apps.common.small_data import compare_with_baseline, with_enough_steps


@dataclass(frozen=True)
class Config(UserDataConfig):
    batch_size: int = 128
    epochs: int = 4
    patience: int | None = 2


class Data(SplitData):
    monitor, mode = "accuracy", "max"

    def plan(self, epoch, order):
        return range(0, len(self.train), self.config.batch_size)

    def baseline(self):
        return "guessing", 60.0


def data_of(count, **options):
    file = Path("train.tsv")
    return Data(Config(train_file=file, dev_file=file, **options), [0] * count, [], None)


@pytest.mark.parametrize(
    ("count", "args", "chosen"),
    [
        (30, "", (4, 38, 19)),
        (100, "--run=a", (5, 15, 7)),
        (1000, "", (50, 15, 7)),
        (20_000, "", (128, 4, 2)),
        (30, "--batch_size 128 --epochs=4", (128, 4, 2)),
        (30, "--batch-size 128", (128, 300, 150)),
        (30, "--epochs 4", (4, 4, 2)),
        (30, "--patience 2 --batch_size=10", (10, 100, 2)),
        (30, "--preset quick", (128, 4, 2)),
    ],
)
def test_small_files_get_enough_steps_unless_the_user_chose(count, args, chosen, capsys):
    given = {"batch_size": 10} if "=10" in args else {}
    config = with_enough_steps(data_of(count, **given), ["train", *args.split()]).config
    assert (config.batch_size, config.epochs, config.patience) == chosen
    is_changed = config != data_of(count, **given).config
    assert capsys.readouterr().err.startswith("train.tsv: small, so the def") == is_changed


@pytest.mark.parametrize(
    ("score", "shown"),
    [(60.5, ""), (60.0, "accuracy of the model (60.00) is no better than that of guessing (60.00)")]
    + [(None, "(nan) is no better")],
)
def test_a_model_that_is_no_better_than_a_guess_is_reported(score, shown, capsys):
    compare_with_baseline(data_of(30), SimpleNamespace(best_score=score))
    out = capsys.readouterr().out
    assert shown in out and bool(out) == bool(shown)
    assert ("--epochs 4 --batch_size 128" in out) == bool(shown)
