import itertools

import pytest

from apps import translator
from apps.common import main, run_folder
from apps.common.answers import call
from seqkit.export import write

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
ADJECTIVES = {"red": "rote", "old": "alte", "small": "kleine", "green": "grüne"}
NOUNS = {"dogs": "Hunde", "cats": "Katzen", "houses": "Häuser"}
PAIRS = [
    (" ".join(words), " ".join(d[word] for d, word in zip(columns, words, strict=True)))
    for columns in [(NUMBERS, ADJECTIVES, NOUNS)]
    for words in itertools.product(*columns)
]
# Two training steps: the tests compare functions of a model that has hardly learned anything.
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
    run = tmp_path_factory.mktemp("runs") / "run"
    files = ["--train_file", str(pairs_file), "--dev_file", str(pairs_file)]
    assert main(translator, ["train", "--run", str(run), *files, *OPTIONS]) == 0
    return run


@pytest.fixture(scope="session")
def config(trained_run):
    return run_folder.read_config(trained_run, translator.Config)


@pytest.fixture(scope="module")  # `set_random_seed` deletes what SentencePiece loaded before
def exports(trained_run, config):
    """Return the exports of the run, not written to disk."""
    return translator.export(config, trained_run)


@pytest.fixture(scope="module")
def serve(exports):
    """Call a signature of the export: serve(name, **inputs) -> arrays."""
    functions = {name: signature.concrete for name, signature in exports[0].signatures.items()}
    return lambda name, **inputs: call(functions[name], **inputs)


@pytest.fixture(scope="module")
def exported_run(trained_run, exports):
    """The run folder, with the export for text, written but not self-tested."""
    text, _ = exports
    record = {f: (trained_run / f).read_text() for f in (run_folder.CONFIG, run_folder.RUN)}
    folder, extra = trained_run / "export" / text.name, {**record, **text.extra}
    write(folder, text.module, text.signatures, text.examples, card="", extra=extra)
    return trained_run
