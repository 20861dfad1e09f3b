import pytest

from apps import tagger
from apps.common import run_folder
from apps.tagger.data import Data
from apps.tagger.restoration import annotate
from apps.tagger.vocabulary import Vocabulary
from datasets.formats.columns import Sentence
from datasets.king_james.reading import verses


def write_run(run, config, sentences):
    """Write a run folder as after training, but with an untrained model."""
    data = Data(config, sentences, sentences, Vocabulary.of(sentences, 2))
    facts = {"app": "tagger", "command": "none", "commit": "", "data_checksum": ""}
    run_folder.create(run, config, facts)
    data.save(run)
    tagger.build(config, data).save(run / "model.keras")
    return run


@pytest.fixture(scope="session")
def untrained_run(tmp_path_factory):
    """Return a run folder of the preset `quick`, but smaller."""
    config = tagger.Config(units=8, embedding_size=8)
    sentences = [Sentence(*annotate(verse)) for verse in verses("dev")[:100]]
    return write_run(tmp_path_factory.mktemp("runs") / "untrained", config, sentences)


CHUNKS = [
    Sentence(["The", "old", "dog", "barks"], ["B-NP", "I-NP", "I-NP", "B-VP"]),
    Sentence(["It", "is", "5", "o'clock", "!"], ["B-NP", "B-VP", "B-NP", "I-NP", "O"]),
] * 3


@pytest.fixture(scope="session")
def spans_run(tmp_path_factory):
    """Return a run folder of a tagger with spelling, casing, a CRF over spans, auxiliary tags."""
    folder = tmp_path_factory.mktemp("runs")
    lines = ["\n".join(map(" ".join, zip(s.words, s.tags, strict=True))) for s in CHUNKS]
    (folder / "chunks").write_text("\n\n".join(lines) + "\n")
    config = tagger.Config(
        train_file=folder / "chunks",
        dev_file=folder / "chunks",
        units=8,
        embedding_size=8,
        casing=True,
        characters="cnn",
        character_units=8,
        output="crf",
    )
    sentences = [s._replace(auxiliary=([w[0] for w in s.words],)) for s in CHUNKS]
    return write_run(folder / "run", config, sentences)


@pytest.fixture
def columns_file(tmp_path):
    """Return a file of sentences in which the tag depends on the previous word."""
    path = tmp_path / "file.conll"
    lines = [["a N", "b V", "c N", "b V"], ["b N", "b V"], ["c N", "a V", "c N"], ["a N"]] * 8
    path.write_text("\n\n".join("\n".join(sentence) for sentence in lines) + "\n")
    return path


@pytest.fixture
def app():
    return tagger
