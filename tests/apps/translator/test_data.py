from dataclasses import replace

import numpy as np
import pytest

from apps.common.errors import UserError
from apps.translator.config import Config
from apps.translator.data import STRIDE, batch, load, pad, plan
from apps.translator.subwords import BOS, EOS, PAD
from tests.apps.translator.conftest import PAIRS, write_pairs


@pytest.fixture
def config(pairs_file):
    return Config(train_file=pairs_file, dev_file=pairs_file, vocabulary_size=60, batch_size=16)


def arrays(dataset):
    """Return source, target, targets and weights of each batch."""
    return [
        (inputs["source"], inputs["target"], *rest) for inputs, *rest in dataset.as_numpy_iterator()
    ]


def same(one, other):
    return len(one) == len(other) and all(
        np.array_equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_batches_contain_each_pair_once_and_group_similar_lengths():
    lengths = np.random.default_rng(0).integers(1, 40, (100, 2))
    rows = plan(lengths, 8, np.random.default_rng(1))
    assert sorted(np.concatenate(rows).tolist()) == list(range(100))
    assert sorted(map(len, rows)) == [4, *[8] * 12]

    def padding(rows):
        return sum((lengths[r, 0].max() - lengths[r, 0]).sum() for r in rows)

    assert padding(rows) < 0.25 * padding(np.split(np.arange(96), 12))
    again, other = (plan(lengths, 8, np.random.default_rng(seed)) for seed in (1, 2))
    assert [r.tolist() for r in rows] == [r.tolist() for r in again]
    assert [r.tolist() for r in rows] != [r.tolist() for r in other]


def test_the_input_is_the_target_delayed_by_one_step():
    inputs, targets, weights = batch([[5, 6], [5]], [[7], [8, 9, 10, 11]])
    assert inputs["source"].tolist() == [[5, 6, 0, 0], [5, 0, 0, 0]]
    assert targets.tolist() == [[7, EOS, PAD, PAD, PAD], [8, 9, 10, 11, EOS]]
    assert inputs["target"].tolist() == [[BOS, 7, PAD, PAD, PAD], [BOS, 8, 9, 10, 11]]
    assert weights.tolist() == [[1, 1, 0, 0, 0], [1] * 5]


def test_batches_are_padded_to_a_multiple_of_the_stride():
    assert pad([[1], [1, 2, 3, 4, 5]]).shape == (2, 2 * STRIDE)
    assert pad([[], []]).shape == (2, STRIDE)


@pytest.mark.parametrize("regularization", [0.0, 0.2])
def test_batches_resume_in_the_middle_of_an_epoch(config, regularization):
    data = load(
        replace(
            config, subwords="unigram", vocabulary_size=45, subword_regularization=regularization
        )
    )
    whole = arrays(data.batches(2))
    assert len(whole) == data.steps_per_epoch == 4
    assert same(arrays(data.batches(2, first_step=3)), whole[3:])
    assert not same(arrays(data.batches(1)), whole)


def test_words_are_split_differently_in_each_epoch_depending_on_the_seed(config):
    config = replace(config, subwords="unigram", vocabulary_size=45, subword_regularization=0.3)
    data = load(config)

    def split_words(data, epoch):
        return sorted(tuple(row[row != PAD]) for b in arrays(data.batches(epoch)) for row in b[0])

    assert split_words(data, 1) == split_words(load(config), 1)
    assert split_words(data, 1) != split_words(data, 2)
    assert split_words(data, 1) != split_words(load(replace(config, seed=2)), 1)
    plain = load(replace(config, subword_regularization=0.0))
    assert split_words(plain, 1) == split_words(plain, 2) != split_words(data, 1)


def test_dropped_pairs_are_reported(config, tmp_path, capsys):
    odd = [("one dogs", "eins " * 40), ("one " * 30, "eins " * 30)]
    config = replace(config, train_file=write_pairs(tmp_path / "odd.tsv", [*PAIRS, *odd]))
    without = load(replace(config, max_length=29, max_ratio=4.0))
    assert len(without.train) == 60
    err = capsys.readouterr().err
    assert err == "training pairs: 60 of 62; dropped 2 for length (in pieces)\n"
    data = load(replace(config, max_length=200, max_ratio=4.0))
    assert capsys.readouterr().err == (
        "training pairs: 61 of 62; dropped 1 for ratio (in pieces)\n"
    )
    assert len(data.train) == 61 and data.checksum != without.checksum
    with pytest.raises(UserError, match="no training pairs are left"):
        load(replace(config, max_length=1))


def test_nothing_is_reported_if_nothing_is_dropped(config, capsys):
    assert len(load(config).train) == 60
    assert capsys.readouterr().err == ""


def test_lower_case(config, tmp_path):
    path = write_pairs(tmp_path / "pairs.tsv", [(s.title(), "ÄRGER " + t) for s, t in PAIRS])
    data = load(replace(config, train_file=path, lowercase=True))
    assert data.train[0].source == "one red dogs"
    assert data.train[0].target == "ärger eins rote hunde"


@pytest.mark.parametrize("joint", [True, False])
def test_the_vocabulary_is_joint_or_one_per_side(config, joint):
    subwords = load(replace(config, joint=joint)).vocabulary
    assert (subwords.source == subwords.target) is joint
    assert subwords.sizes == (60, 60)


def test_what_was_read_is_described(config, tmp_path):
    dev = write_pairs(tmp_path / "dev.tsv", [PAIRS[0], ("zq", "zz" * 9)])
    train, described = load(replace(config, dev_file=dev)).describe().splitlines()
    source, target = PAIRS[0]
    assert train.startswith(f"{config.train_file}: 60 pairs; 14 and 16 characters on average; ")
    assert train.endswith(f"60 and 60 pieces; begins {source!r} -> {target!r}")
    assert described.endswith("2.1% of the characters not in training; 1 pair also in training")


def test_swapped_sides_of_dev_are_warned_of(config, tmp_path, capsys):
    dev = write_pairs(tmp_path / "dev.tsv", [(target, source) for source, target in PAIRS])
    load(replace(config, dev_file=dev))
    assert capsys.readouterr().err == (
        f"warning: {dev}: source and target look swapped: their words are those of the other side\n"
    )
