"""What the tests of the apps share; the `conftest.py` of each gives its `app`."""

import json

import pytest

from apps.common import main


@pytest.fixture
def command(app, capsys):
    """Run the app's command line in this process: exit code, stdout, stderr."""

    def run(*args):
        capsys.readouterr()
        code = main(app, [str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def last_json():
    return lambda out: json.loads(out.splitlines()[-1])
