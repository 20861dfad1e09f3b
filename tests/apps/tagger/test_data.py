from dataclasses import replace

import numpy as np
import pytest

from apps.common.batching import bucket_batches
from apps.common.errors import UserError
from apps.tagger.config import Config
from apps.tagger.data import NO_TAG, Data, bucket_lengths, check_tags, dataset, encode, load
from apps.tagger.scores import score
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
            "dev: none of the tags (B-Y (sentence 1), I-Y (sentence 1)) occur in training; is",
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


def write_columns(path, rows):
    """Write sentences, given as `a/X b/Y`, in columns; return the path."""
    lines = (line.replace("/", "\t").replace(" ", "\n") for line in rows)
    path.write_text("\n\n".join(lines) + "\n")
    return path


@pytest.fixture
def load_files(tmp_path):
    def read(train, dev, **options):
        files = [write_columns(tmp_path / name, rows) for name, rows in (("t", train), ("d", dev))]
        return load(Config(train_file=files[0], dev_file=files[1], **options))

    return read


def test_what_was_read_is_described(load_files, tmp_path):
    data = load_files(["Ada/B-PER met/O Charles/B-PER", "Ada/B-PER"], ["Ada/B-PER", "Bo/B-PER"])
    assert data.describe().splitlines() == [
        f"{tmp_path / 't'}: 2 sentences; 4 words; 2 tags (B-PER 75.0%, O 25.0%); BIO spans; "
        "begins Ada/B-PER met/O Charles/B-PER",
        f"{tmp_path / 'd'}: 2 sentences; 2 words (50.0% not in training); 1 sentence also in "
        "training",
    ]


def test_the_description_is_cut_and_counts_the_words_with_vectors(load_files, tmp_path):
    vectors = tmp_path / "vectors"
    vectors.write_text("a 1\nz 2\n")
    words = " ".join(f"{chr(65 + i % 26)}/T{i}" for i in range(50))
    train, _ = load_files([words], [words], vectors=str(vectors)).describe().splitlines()
    assert "50 tags (T0 2.0%, T1 2.0%, T2 2.0%, ...); no spans; begins A/T0 B/T1" in train
    assert train.endswith("...; vectors of 2 distinct words") and len(train) < 250 + len(
        str(tmp_path)
    )


def test_vectors_of_other_words_are_refused(load_files, tmp_path):
    (tmp_path / "vectors").write_text("x 1\ny 2\n")
    with pytest.raises(UserError, match=r"vectors: no word of .*/t has a vector; is the language"):
        load_files(["a/X b/Y"], ["a/X"], vectors=str(tmp_path / "vectors"))


def test_a_single_tag_is_refused(load_files):
    with pytest.raises(UserError, match=r"/t: every tag is 'X'; is it the right column \(--column"):
        load_files(["a/X b/X"], ["a/X"])
    with pytest.raises(UserError, match="/t: every tag is 'O'; is it"):
        load_files(["a/O b/O"], ["a/O"])
    assert load_files(["a/X b/Y"], ["a/X"]).vocabulary.tags == ["X", "Y"]
    with pytest.raises(
        UserError, match="value of the auxiliary column 2 is '_'; leave it out of --"
    ):
        load_files(["a/_/X b/_/Y"], ["a/_/X"], auxiliary=("2",))


@pytest.mark.parametrize("tag", ["i-per", "U-PER"])
def test_spans_that_are_read_as_plain_tags_are_warned_of(load_files, tmp_path, capsys, tag):
    rest = "b/b-per c/o" if tag == "i-per" else "b/U-LOC c/O"
    assert load_files([f"a/{tag} {rest}"], [f"a/{tag}"]).vocabulary.scheme is None
    assert capsys.readouterr().err == (
        f"warning: {tmp_path / 't'}: tags such as '{tag}' are read as plain tags; to score spans, "
        "spell them B-NAME, I-NAME and O\n"
    )


def test_mistakes_in_tags_are_located_by_their_line(load_files, tmp_path, capsys):
    train = ["a/B-X b/O", "c/O", "d/O e/I-X"]
    with pytest.raises(UserError, match=f"^{tmp_path}/d, line 4: span tags and plain tags are"):
        load_files(train, ["c/O", "a/O b/NOUN e/B-X"])
    with pytest.raises(UserError, match=f"^{tmp_path}/d, line 6: .*: line 5 is in IOBES, but"):
        load_files(train, ["c/O", "a/O b/O c/S-X d/E-X"])
    load_files(train, ["c/O d/B-X", "a/B-Z"])
    assert "count as errors: B-Z (line 4)" in capsys.readouterr().err


@pytest.mark.parametrize(("scheme", "single"), [("BILOU", "U"), ("BMEWO", "W"), ("BMESO", "S")])
def test_spans_are_answered_in_the_scheme_of_the_data(load_files, scheme, single):
    middle, end = scheme[1:3]
    train = [f"a/B-X b/{middle}-X c/{end}-X d/O e/{single}-X"]
    data = load_files(train, [f"e/{single}-X d/O"])
    assert data.vocabulary.scheme == scheme and data.monitor == "f1"
    assert data.vocabulary.tags == ["O", "B-X", "I-X", "E-X", "S-X"]
    assert data.vocabulary.answers == ["O", "B-X", f"{middle}-X", f"{end}-X", f"{single}-X"]
    assert data.dev[0].tags == [f"{single}-X", "O"]
    assert score([data.train[0].tags], [data.train[0].tags], spans=True)["f1"] == 100
    wrong = [f"{single}-X", "O", f"{single}-X", "O", f"{single}-X"]
    assert score([data.train[0].tags], [wrong], spans=True)["recall"] == 50


def test_columns_are_chosen_by_options(load_files):
    rows = ["X/1/a/N Y/2/b/V"]
    data = load_files(rows, rows, column="4", word_column="3")
    assert (data.train[0].words, data.train[0].tags) == (["a", "b"], ["N", "V"])
    numbered = load_files(["1/a/N 2/b/V", "1/c/N"], ["1/a/N"])
    assert [sentence.words for sentence in numbered.train] == [["a", "b"], ["c"]]
    with pytest.raises(UserError, match="word_column requires train_file"):
        Config(word_column="2")
