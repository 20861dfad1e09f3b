from dataclasses import replace

import numpy as np
import pytest

from apps.tagger.config import Config
from apps.tagger.data import Data, bucket_lengths, dataset, encode, plan
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary
from datasets.columns import Sentence


@pytest.fixture
def data():
    lengths = np.random.default_rng(0).integers(1, 40, 100)
    sentences = [
        Sentence([f"w{i}" for i in range(n)], ["even", "odd"] * (n // 2) + ["even"] * (n % 2))
        for n in lengths
    ]
    return Data(Config(batch_size=8), sentences, sentences[:9], Vocabulary.of(sentences, 1))


def content(batches):
    return [tuple(tensor.numpy().tolist() for tensor in batch) for batch in batches]


def test_vocabulary_knows_frequent_words_first():
    sentences = [Sentence(["b", "a", "b", "c"], ["Y", "X", "Y", "X"]), Sentence(["a"], ["X"])]
    assert Vocabulary.of(sentences, 2) == Vocabulary(["a", "b"], ["X", "Y"])
    assert Vocabulary.of(sentences, 1).word_ids() == {"a": 2, "b": 3, "c": 4}


def test_vocabulary_survives_its_file(tmp_path):
    vocabulary = Vocabulary(["é", '"', "a b"], ["X"])
    vocabulary.save(tmp_path)
    assert Vocabulary.read(tmp_path) == vocabulary


def test_unknown_words_and_tags_get_ids_of_their_own():
    ids = encode([Sentence(["a", "new"], ["X", "NEW"])], Vocabulary(["a"], ["X"]))
    assert ids.words.tolist() == [2, UNKNOWN]
    assert ids.tags.tolist() == [0, 1]


def test_no_bucket_is_shorter_than_its_sentences_and_few_are_needed():
    lengths = np.arange(1, 2000)
    buckets = bucket_lengths(lengths)
    assert (buckets >= lengths).all()
    assert (buckets <= np.maximum(8, 1.5 * lengths + 8)).all()
    assert len(set(buckets.tolist())) <= 16
    assert not (buckets % 8).any()


def test_a_plan_holds_each_sentence_once():
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    rows, widths = plan(lengths, 16, np.random.default_rng(1))
    assert sorted(rows[rows >= 0]) == list(range(500))
    assert all(
        lengths[row[row >= 0]].max() <= width for row, width in zip(rows, widths, strict=True)
    )


def test_batches_hold_words_tags_and_weights_of_whole_sentences(data):
    seen = []
    for words, tags, weights in data.batches(0):
        assert words.shape == tags.shape == weights.shape == (8, words.shape[1])
        for row, tag, real in zip(words.numpy(), tags.numpy(), weights.numpy() > 0, strict=True):
            length = int(real.sum())
            assert real[:length].all()
            assert (row[length:] == PADDING).all()
            assert row[:length].tolist() == [
                data.vocabulary.word_ids()[f"w{i}"] for i in range(length)
            ]
            assert tag[:length].tolist() == [i % 2 for i in range(length)]
            seen += [length] * (length > 0)
    assert sorted(seen) == sorted(len(sentence.words) for sentence in data.train)


def test_order_is_a_function_of_seed_and_epoch(data):
    first = content(data.batches(3))
    again = Data(data.config, data.train, data.dev, data.vocabulary)
    assert content(again.batches(3)) == first
    assert content(data.batches(4)) != first
    assert content(replace(data, config=replace(data.config, seed=2)).batches(3)) != first


def test_an_epoch_can_begin_at_any_step(data):
    whole = content(data.batches(1))
    assert len(whole) == data.steps_per_epoch
    assert content(data.batches(1, 5)) == whole[5:]
    assert content(data.batches(1, data.steps_per_epoch)) == []


def test_checksum_changes_with_the_data(data):
    other = replace(data, dev=[Sentence(["w0"], ["odd"])])
    assert other.checksum != data.checksum
    assert replace(data).checksum == data.checksum


def test_dev_batches_hold_the_dev_sentences(data):
    words = sum(int(weights.numpy().sum()) for _, _, weights in data.dev_batches())
    assert words == sum(len(sentence.words) for sentence in data.dev)


def test_a_batch_of_nothing_but_one_long_sentence():
    sentence = Sentence(["a"] * 10_000, ["X"] * 10_000)
    ids = encode([sentence], Vocabulary.of([sentence], 1))
    (batch,) = content(dataset(ids, *plan(ids.lengths, 1)))
    assert sum(batch[2][0]) == 10_000
