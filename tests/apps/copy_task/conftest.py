import pytest

from apps import copy_task


@pytest.fixture
def app():
    return copy_task
