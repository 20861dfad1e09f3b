import itertools

import pytest

from apps import translator
from apps.common import main

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
ADJECTIVES = {"red": "rote", "old": "alte", "small": "kleine", "green": "grüne"}
NOUNS = {"dogs": "Hunde", "cats": "Katzen", "houses": "Häuser"}
PAIRS = [
    (" ".join(words), " ".join(d[word] for d, word in zip(columns, words, strict=True)))
    for columns in [(NUMBERS, ADJECTIVES, NOUNS)]
    for words in itertools.product(*columns)
]
# Two steps of a training, so that all that follows is of a model that knows nothing.
TINY = {
    "vocabulary_size": 60,
    "units": 8,
    "embedding_size": 8,
    "batch_size": 32,
    "epochs": 1,
    "max_length": 24,
    "num_beams": 3,
}
OPTIONS = [str(word) for name, value in TINY.items() for word in (f"--{name}", value)]


def write_pairs(path, pairs=PAIRS):
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs))
    return path


@pytest.fixture
def app():
    return translator


@pytest.fixture(scope="session")
def pairs_file(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("data") / "pairs.tsv")


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, pairs_file):
    """Of a vocabulary for each side: what is not joint can be mixed up."""
    run = tmp_path_factory.mktemp("runs") / "run"
    files = ["--train_file", str(pairs_file), "--dev_file", str(pairs_file)]
    assert main(translator, ["train", "--run", str(run), *files, *OPTIONS]) == 0
    return run


@pytest.fixture(scope="session")
def exported_run(trained_run):
    assert main(translator, ["export", "--run", str(trained_run)]) == 0
    return trained_run
