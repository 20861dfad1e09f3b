"""Fixtures of all apps; the `conftest.py` of each app defines its `app`."""

import json

import pytest

from apps.common import main


@pytest.fixture
def command(app, capsys):
    """Run the app's command line in this process; returns exit code, stdout, stderr."""

    def run(*args):
        capsys.readouterr()
        code = main(app, [str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def refuses(command, tmp_path, monkeypatch):
    """Check that the command line refuses arguments in one line, and leaves nothing behind."""

    def check(args, message):
        monkeypatch.chdir(tmp_path)
        code, out, err = command(*args)
        assert (code, out) == (2, "")
        assert message in err and err.startswith("error: ") and err.count("\n") == 1
        assert not list(tmp_path.iterdir())

    return check


@pytest.fixture
def last_json():
    return lambda out: json.loads(out.splitlines()[-1])
