from dataclasses import replace

import numpy as np
import pytest

from apps.common.batching import bucket_batches
from apps.common.errors import UserError
from apps.tagger.config import Config
from apps.tagger.data import NO_TAG, Data, bucket_lengths, check_tags, dataset, encode
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary
from datasets.formats.columns import Sentence


@pytest.fixture
def data():
    lengths = np.random.default_rng(0).integers(1, 40, 100)
    sentences = [
        Sentence([f"w{i}" for i in range(n)], ["even", "odd"] * (n // 2) + ["even"] * (n % 2))
        for n in lengths
    ]
    return Data(Config(batch_size=8), sentences, sentences[:9], Vocabulary.of(sentences, 1))


def content(batches):
    return [
        tuple({name: ids.numpy().tolist() for name, ids in part.items()} for part in batch)
        for batch in batches
    ]


def test_batches_contain_features_and_all_targets():
    sentences = [
        Sentence(["New", "York"], ["B-LOC", "I-LOC"], (["A", "B"],)),
        Sentence(["York"], ["B-LOC"], (["B"],)),
    ]
    config = Config(batch_size=2, casing=True, characters="cnn")
    data = Data(config, sentences, [], Vocabulary.of(sentences, 2))
    ((inputs, targets),) = data.batches(1)
    rows = [int((row > 0).sum()) for row in inputs["words"].numpy()]
    new, york = rows.index(2), rows.index(1)
    assert inputs["words"].numpy()[new, :3].tolist() == [UNKNOWN, 2, PADDING]
    assert inputs["casing"].numpy()[york, :2].tolist() == [4, 0]
    spelling = inputs["characters"].numpy()
    assert spelling.shape == (2, 8, 16)
    assert (spelling[new, 1] == spelling[york, 0]).all()
    tags = [data.vocabulary.tags[i] for i in targets["tags"].numpy()[new, :2]]
    assert tags == ["B-LOC", "E-LOC"]
    assert data.vocabulary.tags[targets["tags"].numpy()[york, 0]] == "S-LOC"
    assert targets["auxiliary_0"].numpy()[york].tolist() == [1] + [NO_TAG] * 7


def test_buckets_are_few_and_never_shorter_than_their_sentences():
    lengths = np.arange(1, 2000)
    buckets = bucket_lengths(lengths)
    assert (buckets >= lengths).all()
    assert (buckets <= np.maximum(8, 1.5 * lengths + 8)).all()
    assert len(set(buckets.tolist())) <= 16
    assert not (buckets % 8).any()


def test_batches_contain_each_sentence_once():
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    batches = bucket_batches(bucket_lengths(lengths), 16, np.random.default_rng(1))
    members = [rows[rows >= 0] for rows, _ in batches]
    assert sorted(np.concatenate(members)) == list(range(500))
    assert all(
        lengths[rows].max() <= width for rows, (_, width) in zip(members, batches, strict=True)
    )


def test_batches_contain_the_words_and_tags_of_whole_sentences(data):
    seen = []
    ids = data.vocabulary.word_ids()
    for inputs, targets in data.batches(0):
        words, tags = inputs["words"].numpy(), targets["tags"].numpy()
        assert words.shape == tags.shape == (8, words.shape[1])
        for row, tag in zip(words, tags, strict=True):
            length = int((tag != NO_TAG).sum())
            assert (row[length:] == PADDING).all()
            assert (tag[length:] == NO_TAG).all()
            # Words that differ only in digits have the same id.
            assert row[:length].tolist() == [ids["w" + "0" * len(str(i))] for i in range(length)]
            assert tag[:length].tolist() == [i % 2 for i in range(length)]
            seen += [length] * (length > 0)
    assert sorted(seen) == sorted(len(sentence.words) for sentence in data.train)


def test_the_order_depends_only_on_seed_and_epoch(data):
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


def test_the_checksum_includes_auxiliary_columns(data):
    more = [sentence._replace(auxiliary=(sentence.tags,)) for sentence in data.train]
    assert replace(data, train=more).checksum != data.checksum


def test_the_monitor_is_the_usual_score_for_the_tags(data):
    assert data.monitor == "macro_f1"
    files = Config(train_file="a", dev_file="b")
    assert replace(data, config=files).monitor == "accuracy"
    chunks = [Sentence(["a"], ["B-NP"])]
    assert Data(files, chunks, chunks, Vocabulary.of(chunks, 1)).monitor == "f1"


def test_a_batch_of_a_single_long_sentence():
    sentence = Sentence(["a"] * 10_000, ["X"] * 10_000)
    ids = encode([sentence], Vocabulary.of([sentence], 1), ["words"])
    (batch,) = content(dataset(ids, bucket_batches(bucket_lengths(ids.lengths), 1)))
    assert sum(batch[0]["words"][0]) == 20_000


SPANS = Vocabulary.of([Sentence(["a", "b"], ["B-X", "I-X"])], 1)


def test_iob1_is_read_as_bio():
    (sentence,) = check_tags([Sentence(["a", "b", "c"], ["I-X", "I-X", "O"])], SPANS, "dev")
    assert sentence.tags == ["B-X", "I-X", "O"]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["S-X", "O"], "dev: has IOBES spans, but training has BIO spans"),
        (["NOUN", "VERB"], "dev: has plain tags, but training has BIO spans"),
        (["NOUN", "B-X"], "dev, sentence 1: span tags and plain tags are mixed"),
        (
            ["B-Y", "I-Y"],
            "dev: none of the tags occurs in training: B-Y (sentence 1), I-Y (sentence 1); is",
        ),
    ],
)
def test_tags_in_another_scheme_are_refused(tags, message):
    with pytest.raises(UserError) as error:
        check_tags([Sentence(["a", "b"], tags)], SPANS, "dev")
    assert str(error.value).startswith(message)


def test_unknown_tags_are_reported_and_kept(capsys):
    sentences = [Sentence(["a"], ["B-X"]), Sentence(["a", "b"], ["B-Y", "O"])]
    assert check_tags(sentences, SPANS, "dev") == sentences
    assert capsys.readouterr().err == (
        "warning: dev: tags that do not occur in training count as errors: B-Y (sentence 2)\n"
    )
    assert check_tags([Sentence(["a"], ["O"])], SPANS, "dev")
    assert capsys.readouterr().err == ""


def test_the_targets_of_the_language_model_are_the_neighboring_words(data):
    config = replace(data.config, language_model=0.1)
    for inputs, targets in replace(data, config=config).batches(1):
        for words, tags, after, before in zip(
            inputs["words"].numpy(),
            targets["tags"].numpy(),
            targets["next_word"].numpy(),
            targets["previous_word"].numpy(),
            strict=True,
        ):
            length = int((tags != NO_TAG).sum())
            if length:
                assert after[:length].tolist() == [*words[1:length], PADDING]
                assert before[:length].tolist() == [PADDING, *words[: length - 1]]
            assert (after[length:] == NO_TAG).all()
            assert (before[length:] == NO_TAG).all()
