"""All data sets of pairs; Multi30k and Tatoeba are invented files in the published format."""

import gzip
import os
import zipfile
from pathlib import Path

import pytest

import datasets
from datasets.formats.lines import DataError
from datasets.multi30k import multi30k_dataset_builder as multi30k
from datasets.tatoeba import tatoeba_dataset_builder as tatoeba
from datasets.tatoeba.splits import split_of, split_pairs
from datasets.translation import Pair, read_pairs

DUMMY = Path(datasets.__file__).parent


@pytest.mark.parametrize(
    ("name", "config"), [("multi30k", "task1_raw"), ("multi30k_tok", "task1_tok")]
)
def test_multi30k_translates_in_any_direction(manual, any_checksum, name, config):
    folder = manual / "multi30k" / config
    folder.mkdir(parents=True)
    dummy = {"train": "train", "validation": "val", "test2016": "test"}
    for split, by_language in multi30k.files(config).items():
        for code, file in by_language.items():
            content = (DUMMY / f"multi30k/dummy_data/{dummy[split]}.{code}").read_bytes()
            # The raw files are published compressed; the others may be compressed.
            (folder / f"{file.removesuffix('.gz')}.gz").write_bytes(gzip.compress(content))
    assert read_pairs(name, "test") == [("A baker carries bread.", "Ein Bäcker trägt Brot.")]
    assert read_pairs(name, "test", "fr", "de") == [
        ("Un boulanger porte du pain.", "Ein Bäcker trägt Brot.")
    ]
    assert read_pairs(name, "dev", target="en")[0] == (
        ("Ein Mädchen streicht einen blauen Zaun.", "A girl paints a blue fence.")
    )
    assert len(read_pairs(name, "train", "de")) == 3


def test_tatoeba_translates_both_ways(manual, any_checksum):
    (manual / "deu-eng.zip").write_bytes((DUMMY / "tatoeba/dummy_data/deu-eng.zip").read_bytes())
    train = read_pairs("tatoeba", "train")
    assert train[:2] == [
        ("I drew a goat.", "Ich habe eine Ziege gemalt."),
        ("I drew a goat.", "Ich malte eine Ziege."),
    ]
    # "My hat got wet." is dropped: except for punctuation its translation is in test.
    assert [pair.source for pair in train[2:]] == ["Hand me that oar."]
    assert read_pairs("tatoeba", "test", "de") == [("Der Hut ist nass.", "The hat is wet.")]
    assert len(read_pairs("tatoeba", "dev")) == 2


def test_files_that_differ_from_the_published_ones_are_refused(manual):
    with zipfile.ZipFile(manual / "deu-eng.zip", "w") as archive:
        archive.writestr("deu.txt", "Go.\tGeh.\n")
    with pytest.raises(DataError, match=r"Tatoeba cannot .* get deu-eng\.zip from https://.*"):
        read_pairs("tatoeba", "test")


def test_each_file_has_a_checksum(tmp_path):
    assert tatoeba.Builder(data_dir=tmp_path).url_infos[tatoeba.URL + tatoeba.FILE]
    for config, folder in multi30k.FOLDERS.items():
        infos = multi30k.Builder(config=config, data_dir=tmp_path).url_infos
        for by_language in multi30k.files(config).values():
            for file in by_language.values():
                assert infos[multi30k.URL + folder + file].filename == file


def test_a_split_depends_only_on_the_source():
    invented = [
        Pair(f"Boat {n} left{mark}", f"Boot {n % 700} {mark}") for n in range(900) for mark in ".!"
    ]
    splits = split_pairs(invented)
    sources = {split: {pair.source for pair in pairs} for split, pairs in splits.items()}
    targets = {split: {pair.target[:-2] for pair in pairs} for split, pairs in splits.items()}
    for one, other in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not sources[one] & sources[other] and not targets[one] & targets[other]
    assert all(splits.values())
    for split, pairs in splits.items():
        assert all(split_of(pair.source) == split for pair in pairs)
    mirrored = split_pairs(reversed(invented))
    assert {split: sorted(pairs) for split, pairs in splits.items()} == {
        split: sorted(pairs) for split, pairs in mirrored.items()
    }


def test_king_james_and_dates_need_no_download():
    old = read_pairs("king_james", "dev")
    assert old[0].source.startswith("Now after the death of Moses")
    assert read_pairs("king_james", "dev", "modern") == [(new, old) for old, new in old]
    written = read_pairs("dates", "test")
    assert len(written) == 2000 and written[0].target.count("-") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("wmt", "train"),
            "no data set 'wmt' with a split 'train'; choose one of dates, king_james, mu",
        ),
        (
            ("dates", "validation"),
            "no data set 'dates' with a split 'validation'; .*train, dev, test",
        ),
        (("tatoeba", "dev", "en", "fr"), "tatoeba does not translate 'en' to 'fr'; choose two of"),
        (("multi30k", "dev", "de", "de"), "multi30k does not translate 'de' to 'de'"),
        (("king_james", "dev", "en"), "'en' to 'king_james'; choose two of king_james, modern"),
    ],
)
def test_unknown_names_splits_and_sides_are_refused(arguments, message):
    with pytest.raises(DataError, match=message) as error:
        read_pairs(*arguments)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.skipif("SEQKIT_MANUAL_DIR" not in os.environ, reason="needs the published files")
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("multi30k", [29_000, 1_014, 1_000]),
        ("multi30k_tok", [29_000, 1_014, 1_000]),
        ("tatoeba", [163_881, 2_496, 2_599]),
    ],
)
def test_published_counts(name, sizes):
    assert [len(read_pairs(name, split)) for split in ("train", "dev", "test")] == sizes
