"""The door to all pairs; Multi30k and Tatoeba on invented files in the published form."""

import gzip
import os
import zipfile
from pathlib import Path

import pytest

import datasets
from datasets import translation
from datasets.formats.lines import DataError
from datasets.multi30k import multi30k_dataset_builder as multi30k
from datasets.tatoeba import tatoeba_dataset_builder as tatoeba
from datasets.tatoeba.splits import split_of, split_pairs
from datasets.translation import Pair, filter_pairs, read_pairs

DUMMY = Path(datasets.__file__).parent


@pytest.mark.parametrize(("name", "config"), translation.MULTI30K.items())
def test_multi30k_translates_in_any_direction(manual, any_checksum, name, config):
    folder = manual / "multi30k" / config
    folder.mkdir(parents=True)
    dummy = {"train": "train", "validation": "val", "test2016": "test"}
    for split, of_split in multi30k.files(config).items():
        for code, file in of_split.items():
            content = (DUMMY / f"multi30k/dummy_data/{dummy[split]}.{code}").read_bytes()
            # The raw files are published compressed; others may lie there compressed.
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
    # "My hat got wet." is dropped: its translation is in test, but for a punctuation mark.
    assert [pair.source for pair in train[2:]] == ["Hand me that oar."]
    assert read_pairs("tatoeba", "test", "de") == [("Der Hut ist nass.", "The hat is wet.")]
    assert len(read_pairs("tatoeba", "dev")) == 2


def test_other_files_than_the_published_are_refused(manual):
    with zipfile.ZipFile(manual / "deu-eng.zip", "w") as archive:
        archive.writestr("deu.txt", "Go.\tGeh.\n")
    with pytest.raises(DataError, match=r"Tatoeba cannot .* get deu-eng\.zip from https://.*"):
        read_pairs("tatoeba", "test")


def test_tfds_knows_the_checksum_of_each_file(tmp_path):
    assert tatoeba.Builder(data_dir=tmp_path).url_infos[tatoeba.URL + tatoeba.FILE]
    for config, folder in multi30k.FOLDERS.items():
        infos = multi30k.Builder(config=config, data_dir=tmp_path).url_infos
        for of_split in multi30k.files(config).values():
            for file in of_split.values():
                assert infos[multi30k.URL + folder + file].filename == file


def test_a_split_depends_on_the_source_alone():
    invented = [
        Pair(f"Boat {n} left{mark}", f"Boot {n % 700} {mark}") for n in range(900) for mark in ".!"
    ]
    splits = split_pairs(invented)
    sources = {split: {pair.source for pair in of} for split, of in splits.items()}
    targets = {split: {pair.target[:-2] for pair in of} for split, of in splits.items()}
    for one, other in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not sources[one] & sources[other] and not targets[one] & targets[other]
    assert all(splits.values())
    for split, of in splits.items():
        assert all(split_of(pair.source) == split for pair in of)
    mirrored = split_pairs(reversed(invented))
    assert {split: sorted(of) for split, of in splits.items()} == {
        split: sorted(of) for split, of in mirrored.items()
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
        (("wmt", "train"), "no pairs 'wmt' with a split 'train'; there are dates, king_james, mu"),
        (("dates", "validation"), "no pairs 'dates' with a split 'validation'; .*train, dev, test"),
        (("tatoeba", "dev", "en", "fr"), "tatoeba does not translate 'en' to 'fr'; choose two of"),
        (("multi30k", "dev", "de", "de"), "multi30k does not translate 'de' to 'de'"),
        (("king_james", "dev", "en"), "'en' to 'king_james'; choose two of king_james, modern"),
    ],
)
def test_what_is_not_there_is_refused(arguments, message):
    with pytest.raises(DataError, match=message) as error:
        read_pairs(*arguments)
    assert "\n" not in str(error.value)


def test_pairs_are_filtered_by_length_and_ratio():
    given = [Pair("a b", "c d"), Pair("a", "b c d"), Pair("a b c d e", "a b"), Pair("", "a")]
    kept, dropped = filter_pairs(given, 4, 2, length=lambda side: len(side.split()))
    assert kept == given[:1] and dropped == {"empty": 1, "length": 1, "ratio": 1}
    assert filter_pairs(given[:3], max_length=9, max_ratio=5)[0] == given[:3]


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
