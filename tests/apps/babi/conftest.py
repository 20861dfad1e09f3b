import numpy as np
import pytest

from apps import babi
from apps.babi.data import Data
from apps.babi.sentences import Vocabulary
from apps.common import run_folder
from datasets.babi.stories import read_stories

PEOPLE, PLACES = ("Ines", "Omar", "Lena"), ("pier", "island", "buoy")


def stories(count, seed):
    """Return the lines of a file: who rowed where, and questions where they are now."""
    random, lines = np.random.default_rng(seed), []
    for _ in range(count):
        where = {}
        for number in range(1, 5):
            person, place = random.choice(PEOPLE), random.choice(PLACES)
            where[person] = (place, number)
            lines.append(f"{number} {person} rowed to the {place}.")
        person = random.choice(sorted(where))
        place, number = where[person]
        lines.append(f"5 Where is {person}?\t{place}\t{number}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Return a training, a dev and a test file."""
    folder = tmp_path_factory.mktemp("stories")
    paths = [folder / f"qa1_mine_{split}.txt" for split in ("train", "dev", "test")]
    for seed, (path, count) in enumerate(zip(paths, (40, 10, 10), strict=True)):
        path.write_text(stories(count, seed))
    return paths


@pytest.fixture(scope="session", params=["memory_network", "dnc"])
def model(request):
    return request.param


@pytest.fixture(scope="session")
def config(model, files):
    train, dev, test = files
    return babi.Config(
        model=model,
        train_file=train,
        dev_file=dev,
        test_file=test,
        units=6,
        memory_size=4,
        word_size=3,
        num_reads=1,
        max_facts=6,
        batch_size=8,
        epochs=1,
        jit=False,
    )


@pytest.fixture(scope="session")
def data(config):
    train, dev = read_stories(config.train_file), read_stories(config.dev_file)
    return Data(config, train, dev, Vocabulary.of(train))


@pytest.fixture(scope="session")
def untrained_run(config, data, tmp_path_factory):
    """Return a run folder as after training, but with an untrained model."""
    run = tmp_path_factory.mktemp("runs") / "untrained"
    facts = {"app": "babi", "command": "none", "commit": "", "data_checksum": ""}
    run_folder.create(run, config, facts)
    data.save(run)
    babi.build(config, data).save(run / "model.keras")
    return run


@pytest.fixture
def app():
    return babi
