from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from apps import babi
from apps.babi.data import NO_ANSWER, check_answers, encode, with_noise
from apps.babi.sentences import UNKNOWN, Vocabulary
from apps.common.errors import UserError
from datasets.babi.stories import Question, read_stories

QUESTIONS = [
    Question(("Omar rowed.", "Ines swam.", "Omar swam."), "Who rowed?", "Omar", (0,), 1, 0),
    Question((), "Who?", "Ines", (), 1, 1),
]


def arrays(dataset):
    return [
        (facts.numpy(), question.numpy(), answers.numpy()) for (facts, question), answers in dataset
    ]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def words_of(vocabulary, ids):
    return [" ".join(vocabulary.words[i - 2] for i in row if i) for row in ids if row.any()]


def test_the_most_recent_facts_are_kept_word_by_word():
    vocabulary = Vocabulary.of(QUESTIONS)
    encoded = encode(QUESTIONS, vocabulary, max_facts=2)
    facts_read = encoded.sentences[encoded.facts[0]]
    assert words_of(vocabulary, facts_read) == ["ines swam", "omar swam"]
    assert words_of(vocabulary, encoded.sentences[encoded.questions]) == ["who rowed", "who"]
    assert encoded.counts.tolist() == [2, 0]
    assert encoded.answers.tolist() == [1, 0]
    other = [QUESTIONS[0]._replace(answer="nobody")]
    assert encode(other, vocabulary, 2).answers.tolist() == [NO_ANSWER]


def test_an_epoch_has_each_question_with_its_answer(data):
    data = replace(data, config=replace(data.config, noise=0.0, batch_size=5))
    batches = arrays(data.batches(1))
    assert len(batches) == data.steps_per_epoch == 8
    seen = Counter()
    for facts, question, answers in batches:
        for row in zip(facts, question, answers, strict=True):
            facts_read = tuple(words_of(data.vocabulary, row[0]))
            question_read = words_of(data.vocabulary, row[1][None])[0]
            seen[facts_read, question_read, data.vocabulary.answers[row[2]]] += 1

    def plain(text):
        return text.lower().rstrip(".?")

    wanted = Counter((tuple(map(plain, q.facts)), plain(q.question), q.answer) for q in data.train)
    assert seen == wanted


def test_batches_depend_only_on_seed_epoch_and_step(data):
    data = replace(data, config=replace(data.config, noise=0.5))
    first, again, rest = (arrays(data.batches(*args)) for args in ((1,), (1,), (1, 2)))
    assert all(map(same, first, again)) and all(map(same, first[2:], rest))
    assert not same(first[0], arrays(data.batches(2))[0])
    other = replace(data, config=replace(data.config, seed=1))
    assert not same(first[0], arrays(other.batches(1))[0])


def test_noise_keeps_the_order_of_the_facts(data):
    data = replace(data, config=replace(data.config, noise=0.5))
    facts_read = {tuple(fact.lower().rstrip(".") for fact in q.facts) for q in data.train}
    count = 0
    for facts, _, _ in arrays(data.batches(1)):
        assert facts.shape[1] <= data.config.max_facts
        is_noise = (facts[..., 0] == UNKNOWN) & (facts[..., 1:] == 0).all(axis=-1)
        count += is_noise.sum()
        for row, noise in zip(facts, is_noise, strict=True):
            assert tuple(words_of(data.vocabulary, row[~noise])) in facts_read
    assert 40 < count < 80  # half of 160 facts, but there is room for only two per story


@pytest.mark.parametrize(("share", "width"), [(0.0, 5), (0.9, 3), (0.9, 9)])
def test_noise_does_not_exceed_the_room(share, width):
    facts = np.array([[5, 6, 7], [8, 0, 0], [0, 0, 0]])
    result = with_noise(facts, width, share, np.random.default_rng(0))
    assert result.shape == (3, width)
    for row, wanted in zip(result, facts, strict=True):
        assert row[row > 1].tolist() == wanted[wanted > 0].tolist()
        assert not row[np.count_nonzero(row) :].any()
    assert not result[2].any()
    assert (result == 1).any() == (share > 0)


def test_answers_that_do_not_occur_in_training_are_reported(capsys):
    vocabulary = Vocabulary.of(QUESTIONS)
    check_answers(QUESTIONS, vocabulary, "dev")
    assert not capsys.readouterr().err
    check_answers([*QUESTIONS, QUESTIONS[0]._replace(answer="me")], vocabulary, "dev")
    assert "warning: dev: answers that do not occur in training count as errors: me" in (
        capsys.readouterr().err
    )
    with pytest.raises(
        UserError, match=r"dev: none of the answers \(me\) occur in training; are they"
    ):
        check_answers([QUESTIONS[0]._replace(answer="me")], vocabulary, "dev")


def test_user_files_are_read(config, files):
    data = babi.load(config)
    assert (data.train, data.dev) == tuple(map(read_stories, files[:2]))
    changed = replace(data, dev=data.dev[1:])
    assert data.checksum == babi.load(config).checksum != changed.checksum
    with pytest.raises(UserError, match="no split 'validation'; choose one of train, dev, test"):
        babi.data.read_split(config, "validation")
    with pytest.raises(UserError, match="trained without a test_file; give --split dev"):
        babi.data.read_split(replace(config, test_file=None), "test")


def test_what_was_read_is_described(config, files):
    train, dev = babi.load(replace(config, max_facts=3)).describe().splitlines()
    assert train.startswith(f"{files[0]}: 40 questions of 40 stories; 3 answers (")
    assert train.endswith("; at most 4 facts, of which the last 3 are read (--max_facts)")
    assert dev.startswith(f"{files[1]}: 10 questions of 10 stories; ")
    assert babi.load(replace(config, max_facts=4)).describe().endswith("; at most 4 facts")


def test_a_single_answer_is_refused(config, tmp_path):
    path = tmp_path / "same.txt"
    path.write_text("1 It rains.\n2 Is it wet?\tyes\n3 Does it rain?\tyes\n")
    with pytest.raises(UserError, match=r"same\.txt: every answer is 'yes'; give more questions"):
        babi.load(replace(config, train_file=path))
