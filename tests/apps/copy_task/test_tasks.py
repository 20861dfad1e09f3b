import numpy as np
import pytest

from apps.common.errors import UserError
from apps.copy_task.config import Config, examples
from apps.copy_task.tasks import copy_sequence, longest, parse_bits, task


def test_a_task_has_the_bits_of_its_configuration():
    assert task(Config(task="copy", bits=4)).input_size == 6
    assert task(Config(task="repeat_copy", bits=4)).output_size == 5


def test_the_longest_sequence_of_repeat_copy_has_the_most_repeats():
    assert longest(Config(task="copy", max_length=7)) == (7,)
    assert longest(Config(task="repeat_copy", max_length=7, max_repeats=3)) == (7, 3)


def test_associative_recall_requires_two_items():
    with pytest.raises(UserError, match="max_length: associative_recall needs at least 2, not 1"):
        task(Config(task="associative_recall", max_length=1))


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (np.zeros((0, 8)), r"shape \(0, 8\); give at least one vector"),
        (np.zeros(8), r"shape \(8,\)"),
        ([[0, 1], [0.5, 1]], "vector 2: 0.5 is not a bit"),
        ([[np.nan, 1]], "vector 1: nan is not a bit"),
    ],
)
def test_invalid_bits_are_refused(bits, message):
    with pytest.raises(UserError, match=message):
        copy_sequence(bits)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no vectors; write vectors of 4 bits"),
        ("  ", "no vector"),
        ("0110 011", "vector 2: 3 bits, but the model has 4"),
        ("0110 0121", "vector 2: '2' is not a bit"),
        ("0110,0111", "vector 1: ',' is not a bit"),
        ("011०", "vector 1: '०' is not a bit"),  # a digit: float() returns 0
    ],
)
def test_invalid_lines_of_bits_are_refused(line, message):
    with pytest.raises(UserError, match=message):
        parse_bits(line, 4)


@pytest.mark.parametrize("bits", [1, 6, 8, 11])
def test_the_examples_are_valid_lines_of_bits(bits):
    lines = examples(Config(bits=bits))
    assert [parse_bits(line, bits).shape for line in lines] == [(3, bits), (5, bits)]


def test_other_tasks_have_no_examples():
    assert examples(Config(task="associative_recall", bits=6)) == ()
