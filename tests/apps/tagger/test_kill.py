"""A tagger's training that is killed five times ends like one that is not."""

import json

import numpy as np
import pytest

import apps.tagger.model  # noqa: F401 (registers what model.keras holds)
from tests.apps.common.training.test_fit import final
from tests.apps.kill import run, train_and_kill

PATIENCE = 2


def write_columns(path, sentences, seed):
    """Sentences in which a word's tag is the word before, one in ten tags wrong."""
    data = np.random.default_rng(seed)
    lines = []
    for _ in range(sentences):
        words = data.integers(12, size=data.integers(2, 12))
        tags = np.concatenate([[0], words[:-1] % 4])
        tags = np.where(data.random(len(words)) < 0.1, data.integers(4, size=len(words)), tags)
        lines += [
            f"{chr(ord('a') + word)}\tT{tag}" for word, tag in zip(words, tags, strict=True)
        ] + [""]
    path.write_text("\n".join(lines))


@pytest.mark.slow
def test_five_kills_change_nothing(tmp_path):
    write_columns(tmp_path / "train", 1600, seed=0)
    write_columns(tmp_path / "dev", 200, seed=1)

    def program(name):
        options = {
            "run": tmp_path / name,
            "train_file": tmp_path / "train",
            "dev_file": tmp_path / "dev",
            "units": 16,
            "embedding_size": 16,
            "batch_size": 4,  # over 400 steps an epoch, so that there are checkpoints within one
            "characters": "cnn",
            "character_units": 8,
            "output": "crf",
            "dropout": 0.2,
            "recurrent_dropout": 0.2,
            "ema": 0.95,
            "epochs": 12,
            "patience": PATIENCE,
            "seed": 3,
        }
        arguments = [str(word) for k, v in options.items() for word in (f"--{k}", v)]
        return ["-m", "apps.tagger", "train", *arguments]

    run(program("unbroken"))
    train_and_kill(program("killed"), tmp_path / "killed" / "checkpoint", spread=1.5)

    assert final(tmp_path / "killed") == final(tmp_path / "unbroken")
    training = json.loads((tmp_path / "killed" / "run.json").read_text())["training"]
    assert training["stopped_early"]
    assert training["epochs"] == training["best_epoch"] + PATIENCE
