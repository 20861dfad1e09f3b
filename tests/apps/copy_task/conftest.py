import json

import pytest

from apps import copy_task
from apps.common import main


@pytest.fixture
def command(capsys):
    """Runs a command of the app: its exit code, stdout and stderr."""

    def run(*args):
        code = main(copy_task, [str(arg) for arg in args])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def last_json():
    return lambda out: json.loads(out.splitlines()[-1])
