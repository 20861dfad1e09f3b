"""The command line that apps share: help, hints, errors, exit codes."""

import dataclasses
import io
import subprocess
import sys
import types
from pathlib import Path

import pytest

from apps import babi, copy_task, tagger, translator
from apps.common import commands, hints, main, run_folder
from apps.common.errors import UserError
from tests.apps import smallest

RELEASES = Path(__file__).parents[3] / "saved_models"
APPS = [babi, copy_task, smallest, tagger, translator]
every_app = pytest.mark.parametrize("app", APPS, ids=lambda app: app.NAME)


def printed(capsys, app, *args):
    """Return exit code, stdout and stderr of a command that tyro may end."""
    try:
        code = main(app, [str(arg) for arg in args])
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


@every_app
def test_without_arguments_the_help_shows_an_example_of_each_command(capsys, app):
    code, out, err = printed(capsys, app)
    assert (code, out) == (2, "")
    text = " ".join(err.replace("│", " ").split())
    for name in ("train", "evaluate", "export", "predict"):
        assert f"python -m {app.__name__} {name} --" in text


@every_app
@pytest.mark.parametrize("command", ["train", "evaluate", "export", "predict"])
def test_help_names_types_as_users_do(capsys, app, command):
    code, out, _ = printed(capsys, app, command, "--help")
    assert code == 0
    assert out.startswith(f"usage: python -m {app.__name__} {command} ")
    assert "{None}" not in out and "[[" not in out and "(default: )" not in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--epoks", "3"], "--epochs INT"),
        (["train", "--epochs", "1.5"], "'1.5' is not a whole number"),
        (["train", "--patience", "x"], "'x' is not a whole number"),
        (["train", "--learning_rate", "x"], "'x' is not a number"),
        (["evaluate", "--split", "train"], "invalid choice 'train' for argument '--split'"),
        (["predict", "--n_besst", "3"], "--n_best INT"),
    ],
)
def test_a_wrong_option_leads_to_the_help_of_its_command(capsys, args, message):
    code, _, err = printed(capsys, tagger, *args)
    assert code == 2 and message in err
    assert f"python -m apps.tagger {args[0]} --help" in err and " in python" not in err


def test_a_wrong_command_leads_to_the_commands(capsys):
    code, _, err = printed(capsys, tagger, "trian")
    assert code == 2 and "train, evaluate, export, predict" in err


@pytest.mark.parametrize("value", ["None", "7"])
def test_an_optional_value_may_be_given_as_none(monkeypatch, value):
    chosen = []
    monkeypatch.setattr(commands.Train, "execute", lambda self, *args: chosen.append(self.config))
    assert main(tagger, ["train", "--patience", value, "--auxiliary", "xpos", "feats"]) == 0
    assert chosen[0].patience == (None if value == "None" else 7)
    assert chosen[0].auxiliary == ("xpos", "feats")


def no_space():
    error = type("ResourceExhaustedError", (Exception,), {})
    return error("...; No space left on device [Op:SaveV2]")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (UserError("wrong"), 2, "error: wrong\n"),
        (PermissionError(13, "Permission denied", "a"), 2, "error: a: Permission denied\n"),
        (MemoryError(), 2, "error: out of memory; choose smaller sizes"),
        (no_space(), 2, "error: no space left on the device"),
        (ModuleNotFoundError("No module named 'x'", name="x"), 2, "error: No module named 'x'; to"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_problems_end_a_command_with_one_line(monkeypatch, capsys, error, code, line):
    def fail(*args):
        raise error

    monkeypatch.setattr(commands.Export, "execute", fail)
    assert main(tagger, ["export"]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(line) and err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError(), ModuleNotFoundError("x", name="apps.x")])
def test_errors_of_our_own_are_not_hidden(monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(commands.Export, "execute", fail)
    with pytest.raises(type(error)):
        main(tagger, ["export"])


def test_a_reader_may_close_the_output():
    code = (
        "import sys; from apps import tagger; from apps.common import commands, main\n"
        "commands.Export.execute = lambda *args: [print(i) for i in range(100_000)]\n"
        "sys.exit(main(tagger, ['export']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().strip() == b"0"
        process.stdout.close()
        assert process.wait(60) == 141 and process.stderr.read() == b""


def test_apps_run_on_tensorflow_alone(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code, out, err = printed(capsys, tagger, "predict", "--saved_model", RELEASES / "tagger", "a")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "unset KERAS_BACKEND" in err


@pytest.mark.parametrize(
    ("app", "args", "message"),
    [
        (
            tagger,
            ["predict", "--saved_model", "translator"],
            "belongs to the translator app, not the tagger; use",
        ),
        (tagger, ["predict", "--saved_model", "tagger_ids"], "give the one without _ids"),
        (copy_task, ["evaluate", "--saved_model", "tagger"], "use python -m apps.tagger"),
        (tagger, ["evaluate", "--run", "tagger"], "an export, not a run; use --saved_model"),
        (tagger, ["predict", "--saved_model", "tagger/1/assets.extra"], "a run, not an export"),
        (tagger, ["predict", "--saved_model", "tagger/2"], "tagger/2: no such folder"),
        (babi, ["evaluate", "--picture", "a.png"], "picture: babi has no plot of its scores"),
    ],
)
def test_the_wrong_folder_is_named(monkeypatch, capsys, app, args, message):
    monkeypatch.chdir(RELEASES)
    code, out, err = printed(capsys, app, *args, *(["a"] if args[0] == "predict" else []))
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1, err


def stdin(terminal):
    """Return a stdin with two lines."""
    return types.SimpleNamespace(buffer=io.BytesIO(b"a\nb\n"), isatty=lambda: terminal)


def test_an_incomplete_version_is_passed_over_with_a_warning(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.stdin", stdin(terminal=False))  # which isn't announced
    (tmp_path / "1").symlink_to(RELEASES / "tagger/1")
    (tmp_path / "2").mkdir()
    code, out, err = printed(capsys, tagger, "predict", "--saved_model", tmp_path)
    assert code == 0 and out.count("\n") == 2
    assert err == f"warning: {tmp_path}: version 2 is incomplete; using 1\n"


def test_reading_from_a_terminal_is_announced(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", stdin(terminal=True))
    code, out, err = printed(capsys, tagger, "predict", "--saved_model", RELEASES / "tagger")
    assert code == 0 and out.count("\n") == 2
    assert err == "reading lines from the terminal; end with Ctrl-D\n"


@pytest.mark.parametrize(
    ("found", "shown"),
    [("bin", "python"), ("elsewhere", "{path}"), (None, "{path}")],
)
def test_hints_name_the_interpreter_as_the_shell_finds_it(monkeypatch, tmp_path, found, shown):
    path = tmp_path / "bin" / "python3"
    monkeypatch.setattr(sys, "executable", str(path))
    monkeypatch.setattr("shutil.which", lambda name: found and str(tmp_path / found / name))
    assert hints.interpreter() == shown.format(path=path)
    monkeypatch.chdir(tmp_path)
    assert hints.interpreter() == shown.format(path=Path("bin/python3"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Don't panic.", '"Don\'t panic."'), ("a b", "'a b'"), ("it's $5", "'it'\"'\"'s $5'")],
)
def test_commands_are_quoted_for_the_shell(text, shown):
    assert hints.command(tagger, ["predict", text]) == f"python -m apps.tagger predict {shown}"


def test_a_run_resumes_with_its_own_options(monkeypatch, tmp_path):
    chosen = []
    monkeypatch.setattr(commands.Train, "execute", lambda self, *args: chosen.append(self.config))
    config = smallest.Config(train_file=Path("a"), dev_file=Path("b"), units=7)
    facts = {"app": "smallest", "command": "", "commit": "", "data_checksum": ""}
    run_folder.create(tmp_path / "run", config, facts)
    run = ["--run", str(tmp_path / "run")]
    for args in (run, [f"--run={run[1]}"], [*run, "--epochs", "12"], [*run, "--preset", "default"]):
        assert main(smallest, ["train", *args]) == 0
    longer = dataclasses.replace(config, epochs=12)
    assert chosen == [config, config, longer, smallest.Config()]
    monkeypatch.chdir(tmp_path)  # the default run folder, if the files are the user's
    run_folder.create(Path("runs/smallest/default"), config, facts)
    for args in ([], ["--train_file", "a", "--dev_file", "b"]):
        assert main(smallest, ["train", *args]) == 0
    assert chosen[4:] == [smallest.Config(), config]
