"""A translator's training that is killed again and again ends like one that is not."""

import numpy as np
import pytest

import apps.translator.model  # noqa: F401 (registers what model.keras holds)
from tests.apps.common.training.test_fit import final
from tests.apps.kill import run, train_and_kill
from tests.apps.translator.conftest import TINY, write_pairs


def pairs(count, seed):
    """Words, and the same words backwards."""
    data = np.random.default_rng(seed)
    words = np.array(["ab", "cde", "fg", "hij", "kl"])
    sentences = [words[data.integers(5, size=data.integers(1, 7))] for _ in range(count)]
    return [(" ".join(words), " ".join(words[::-1])) for words in sentences]


@pytest.mark.slow
def test_kills_change_nothing(tmp_path):
    write_pairs(tmp_path / "train", pairs(1000, seed=0))
    write_pairs(tmp_path / "dev", pairs(20, seed=1))

    def program(name):
        options = {
            **TINY,
            "run": tmp_path / name,
            "train_file": tmp_path / "train",
            "dev_file": tmp_path / "dev",
            "vocabulary_size": 20,
            "subwords": "unigram",
            "subword_regularization": 0.1,
            "batch_size": 4,  # 250 steps an epoch, so that there are checkpoints within one
            "epochs": 3,
            "average": 2,
            "seed": 3,
        }
        arguments = [str(word) for k, v in options.items() for word in (f"--{k}", v)]
        return ["-m", "apps.translator", "train", *arguments]

    run(program("unbroken"))
    train_and_kill(program("killed"), tmp_path / "killed" / "checkpoint", kills=2)

    assert final(tmp_path / "killed") == final(tmp_path / "unbroken")
