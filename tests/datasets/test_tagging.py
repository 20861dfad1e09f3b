"""Invented files in the published format; the published ones are read if they are available."""

import gzip
import os

import pytest
import requests
import tensorflow_datasets as tfds

from datasets.conll2000 import reading as conll2000
from datasets.conll2000.conll2000_dataset_builder import Builder
from datasets.formats.columns import read_columns
from datasets.formats.conllu import read_conllu
from datasets.formats.lines import DataError
from datasets.tagging import read_benchmark
from datasets.ud_english_ewt import reading as ud_english_ewt

EWT = {
    "train": """\
# sent_id = x
# text = They can't swim.
1|They|they|PRON|PRP|Case=Nom;Number=Plur|4|nsubj|_|_
2-3|can't|_|_|_|_|_|_|_|_
2|ca|can|AUX|MD|VerbForm=Fin|4|aux|_|_
3|n't|not|PART|RB|_|4|advmod|_|_
4|swim|swim|VERB|VB|VerbForm=Inf|0|root|_|SpaceAfter=No
5|.|.|PUNCT|.|_|4|punct|_|_

# sent_id = x
# text = Who?
0.1|saw|see|VERB|VBD|_|_|_|0:root|_
1|Who|who|PRON|WP|PronType=Int,Rel|0|root|_|SpaceAfter=No
2|?|?|PUNCT|.|_|1|punct|_|_
""",
    "dev": "# sent_id = x\n# text = Rain\n1|Rain|rain|NOUN|NN|Number=Sing|0|root|_|_\n",
    "test": "# sent_id = x\n# text = Go\n1|Go|go|VERB|VB|_|0|root|_|_\n",
}
CHUNKS = {
    "train": "\n".join(f"Boat{i} NN B-NP\nleft VBD B-VP\n" for i in range(6)),
    "test": "Wait VB B-VP\n. . O\n",
}


def without_lines(sentences):
    return [sentence._replace(lines=()) for sentence in sentences]


def test_ewt_agrees_with_its_files(manual, any_checksum, capsys, monkeypatch):
    folder = manual / "ud_english_ewt" / "r2.10"
    folder.mkdir(parents=True)
    for split, text in EWT.items():
        content = text.replace("|", "\t").replace(";", "|").encode()
        with gzip.open(folder / f"en_ewt-ud-{split}.conllu.gz", "wb") as file:
            file.write(content)
        (manual / f"{split}.conllu").write_bytes(content)
    for split in EWT:
        read = read_conllu(manual / f"{split}.conllu", "upos", ["xpos", "feats"])
        expected = without_lines(read)
        assert sorted(read_benchmark("ud_english_ewt", split)) == sorted(expected)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("preparing ud_english_ewt")
    assert captured.err.count("\n") == 1
    monkeypatch.delenv("SEQKIT_MANUAL_DIR")  # once prepared, the files are not needed
    assert read_benchmark("ud_english_ewt", "dev")[0].text == "Rain"


def test_conll2000_holds_out_dev_sentences_of_train(manual, any_checksum, monkeypatch):
    monkeypatch.setattr(conll2000, "DEV_SENTENCES", 2)
    for split, text in CHUNKS.items():
        (manual / f"{split}.txt").write_text(text)
    files = {
        split: without_lines(read_columns(manual / f"{split}.txt", "3", ["2"])) for split in CHUNKS
    }
    train, dev = read_benchmark("conll2000", "train"), read_benchmark("conll2000", "dev")
    assert len(dev) == 2 and sorted(train + dev) == sorted(files["train"])
    assert [s for s in files["train"] if s in train] == train  # in the order of the file
    assert read_benchmark("conll2000", "dev") == dev
    assert read_benchmark("conll2000", "test") == files["test"]


def test_another_process_may_prepare_the_data_meanwhile(manual, any_checksum, monkeypatch):
    for split, text in CHUNKS.items():
        (manual / f"{split}.txt").write_text(text)
    prepare = Builder.download_and_prepare

    def prepare_too_late(self, **arguments):
        prepare(self, **arguments)
        raise FileExistsError("Destination already exists")

    monkeypatch.setattr(Builder, "download_and_prepare", prepare_too_late)
    assert len(read_benchmark("conll2000", "test")) == 1


def test_files_that_differ_from_the_published_ones_are_refused(manual):
    for split, text in CHUNKS.items():
        (manual / f"{split}.txt").write_text(text)
    with pytest.raises(
        DataError, match=r"differ from the published ones; get train\.txt, test\.txt from"
    ):
        read_benchmark("conll2000", "test")


@pytest.mark.parametrize("name", ["conll2000", "ud_english_ewt"])
def test_without_a_network_the_error_names_the_address_and_the_variable(manual, monkeypatch, name):
    monkeypatch.delenv("SEQKIT_MANUAL_DIR")

    def unreachable(url, **_):
        raise requests.ConnectionError(url)

    monkeypatch.setattr(requests, "head", unreachable)
    with pytest.raises(DataError, match=r"from https://.*variable SEQKIT_MANUAL_DIR to") as error:
        read_benchmark(name, "train")
    assert "\n" not in str(error.value)


def test_a_missing_manual_folder_is_refused(manual):
    manual.rmdir()
    with pytest.raises(DataError, match=r"SEQKIT_MANUAL_DIR=.*manual: no such folder"):
        read_benchmark("conll2000", "test")


def test_a_damaged_file_is_refused(manual):
    (manual / "train.txt.gz").write_bytes(gzip.compress(CHUNKS["train"].encode())[:-9])
    with pytest.raises(DataError, match=r"train\.txt\.gz: .*; download it again"):
        read_benchmark("conll2000", "test")


def test_an_unknown_name_or_split_is_refused():
    for arguments in [("conll2003", "test"), ("conll2000", "validation")]:
        with pytest.raises(
            DataError, match="choose one of ud_english_ewt, conll2000 with train, dev"
        ):
            read_benchmark(*arguments)


def test_errors_name_the_downloaded_addresses(tmp_path):
    """TFDS has a checksum for each address that an error message names."""
    builders = {
        "ud_english_ewt": tfds.builder("universal_dependencies/en_ewt", data_dir=tmp_path),
        "conll2000": Builder(data_dir=tmp_path),
    }
    for source in (ud_english_ewt.SOURCE, conll2000.SOURCE):
        for file in source.files:
            assert builders[source.name].url_infos[source.url + file].filename == file


@pytest.mark.slow
@pytest.mark.skipif("SEQKIT_MANUAL_DIR" not in os.environ, reason="needs the published files")
@pytest.mark.parametrize(
    ("name", "split", "sentences", "words"),
    [
        ("ud_english_ewt", "train", 12_543, 204_578),
        ("ud_english_ewt", "dev", 2_001, 25_149),
        ("ud_english_ewt", "test", 2_077, 25_094),
        ("conll2000", "train", 7_936, 187_519),
        ("conll2000", "dev", 1_000, 24_208),
        ("conll2000", "test", 2_012, 47_377),
    ],
)
def test_published_counts(name, split, sentences, words):
    read = read_benchmark(name, split)
    assert (len(read), sum(len(sentence.words) for sentence in read)) == (sentences, words)
