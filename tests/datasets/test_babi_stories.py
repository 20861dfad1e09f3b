"""Invented stories; the published ones are counted if they are available."""

import io
import os
import tarfile
from collections import Counter

import pytest
import requests

from datasets.babi.babi_dataset_builder import URL, Builder, files
from datasets.babi.reading import read_babi, split_train
from datasets.babi.stories import Question, read_stories
from datasets.formats.lines import DataError

STORIES = """\
1 Ines rowed to the island.
2 Where is Ines? \tisland\t1
3 Omar took the oar.
4 Ines rowed home.
5 What does Omar hold?\toar,rope\t3

1 It rains.
2 Does it rain?\tyes
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "qa8_mine_train.txt"
    path.write_text(STORIES)
    return path


def test_questions_have_the_preceding_facts_and_no_questions(path):
    facts = ("Ines rowed to the island.", "Omar took the oar.", "Ines rowed home.")
    assert read_stories(path) == [
        Question(facts[:1], "Where is Ines?", "island", (0,), 8, 0),
        Question(facts, "What does Omar hold?", "oar,rope", (1,), 8, 0),
        Question(("It rains.",), "Does it rain?", "yes", (), 8, 1),
    ]


def test_other_ends_of_lines_tabs_and_questions_are_read(path):
    path.write_text("1\tHe asked: why? Then he left.\r\n2\tWhy\tso, so\r\n\r\n")
    facts = ("He asked: why? Then he left.",)
    assert read_stories(path) == [Question(facts, "Why", "so, so", (), 8, 0)]


def test_a_single_long_story_is_warned_of(path, capsys):
    path.write_text("1 It rains.\n" + "".join(f"{n} Why?\tnow\n" for n in range(2, 103)))
    assert len(read_stories(path)) == 101
    assert capsys.readouterr().err == (
        f"warning: {path}: one story with 101 questions; begin each story with 1\n"
    )


def test_without_a_number_in_the_file_name_the_task_is_0(path):
    other = path.rename(path.with_name("mine.txt"))
    assert {question.task for question in read_stories(other)} == {0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no question"),
        (b"1 It rains.\n", "contains no question"),
        (b'{"story": ["It rains."]}\n', "line 1: .* is JSON; convert"),
        (b"2 It rains.\n", "line 1: begins with '2'; expected 1$"),
        (b"1 It rains.\n3 Why?\tnow\t1\n", "line 2: begins with '3'; expected 2"),
        (
            b"1 It rains.\nWhy?\tnow\t1\n",
            r"line 2: begins with 'Why\?', not a number; number the lines",
        ),
        (b"1 It rains.\n2 Why?\t\t1\n", "line 2: no answer"),
        (b"1 It rains.\n2 \tnow\t1\n", "line 2: no text after the number"),
        (b"1 It rains.\n2 Why?\tnow\t2\n", "line 2: supporting line '2' is not a fact"),
        (b"1 It rains.\n2 Why?\tnow\tx\n", "line 2: supporting line 'x' is not a fact"),
        (b"1 It rains.\n2 Why?  now  1\n", r"line 2: 'Why\?  now  1' is a question without tabs"),
        (b"1 It rains.\n2 Say why    now    1\n", "line 2: .* is a question without tabs"),
        (
            b"1 A.\n2 B.\n3 Why?\tnow\t1,2\n",
            "line 3: .* '1,2' is not a fact .* with spaces between",
        ),
        (b"1 It rains.\n2 Why? right now 1\n", "line 2: .* is a question without tabs; put"),
        (b"1 It rains.\n\n2 Why?\tnow\t1\n", "line 3: 2 after a blank line; begin stories with 1"),
        (b"1 It rains.\n2 Why\xff?\tnow\t1\n", "line 2: invalid UTF-8 at byte 17"),
    ],
)
def test_malformed_files_get_a_one_line_error_with_its_location(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_stories(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt: No such file"):
        read_stories(tmp_path / "none.txt")


def test_dev_has_whole_stories_and_a_tenth_of_them():
    questions = [Question((), "?", "a", (), t, s) for t in (1, 2) for s in range(50) for _ in "ab"]
    dev, train = split_train(questions, dev=True), split_train(questions, dev=False)
    assert Counter(dev) + Counter(train) == Counter(questions)
    assert len(dev) == 20 and not set(dev) & set(train)
    assert dev == split_train(questions, dev=True)


def content_of(name):
    return STORIES.replace("island", name).encode()


def check_questions():
    train, test = read_babi("train") + read_babi("dev"), read_babi("test")
    assert len(train) == len(test) == 60
    assert [q.task for q in test] == [task for task in range(1, 21) for _ in range(3)]
    assert test[3].answer == files("test")[1]
    assert test[4].facts[1:] == ("Omar took the oar.", "Ines rowed home.")
    assert (test[4].answer, test[4].supporting, test[5].story) == ("oar,rope", (1,), 1)
    assert {q.answer for q in train} == {"yes", "oar,rope", *files("train")}


def test_files_are_read_from_the_manual_folder(manual, any_checksum):
    for split in ("train", "test"):
        for name in files(split):
            (manual / name).write_bytes(content_of(name))
    check_questions()


def test_the_archive_is_read_from_the_manual_folder(manual, any_checksum):
    (manual / "babi").mkdir()
    with tarfile.open(manual / "babi" / "tasksv11_en.tar.gz", "w:gz") as archive:
        for name in [*files("train"), *files("test")]:
            member = tarfile.TarInfo(f"tasks/en/{name}")
            member.size = len(content_of(name))
            archive.addfile(member, io.BytesIO(content_of(name)))
    check_questions()


def test_files_that_differ_from_the_published_ones_are_refused(manual):
    for split in ("train", "test"):
        for name in files(split):
            (manual / name).write_bytes(content_of(name))
    with pytest.raises(DataError, match="the files differ from the published ones; get qa1_single"):
        read_babi("test")


def test_a_damaged_archive_is_refused(manual):
    (manual / "babi").mkdir()
    (manual / "babi" / "tasksv11_en.tar.gz").write_bytes(b"\x1f\x8b no archive")
    with pytest.raises(DataError, match=r"tasksv11_en.tar.gz: .*; download it again") as error:
        read_babi("test")
    assert "\n" not in str(error.value)


def test_without_a_network_the_error_names_the_address_and_the_variable(manual, monkeypatch):
    def unreachable(url, **_):
        raise requests.ConnectionError(url)

    monkeypatch.setattr(requests, "head", unreachable)
    with pytest.raises(DataError, match=r"from https://.*variable SEQKIT_MANUAL_DIR to") as error:
        read_babi("train")
    assert "\n" not in str(error.value)


def test_a_missing_manual_folder_and_an_unknown_split_are_refused(manual):
    manual.rmdir()
    with pytest.raises(DataError, match=r"SEQKIT_MANUAL_DIR=.*manual: no such folder"):
        read_babi("test")
    with pytest.raises(DataError, match="no split 'validation' of bAbI; choose one of train, dev"):
        read_babi("validation")


def test_each_file_has_a_checksum(tmp_path):
    infos = Builder(data_dir=tmp_path).url_infos
    for name in [*files("train"), *files("test")]:
        assert infos[URL + name].filename == name


@pytest.mark.slow
@pytest.mark.skipif("SEQKIT_MANUAL_DIR" not in os.environ, reason="needs the published files")
def test_published_counts():
    test, dev, train = map(read_babi, ("test", "dev", "train"))
    assert set(Counter(q.task for q in test).values()) == {1000}
    assert set(Counter(q.task for q in dev + train).values()) == {1000}
    assert len(test) == len(dev + train) == 20_000
    assert 0.08 < len(dev) / 20_000 < 0.12
    unseen = {q.answer for q in test} - {q.answer for q in train}
    assert unseen == {"apple,football,milk", "football,apple,milk"}
