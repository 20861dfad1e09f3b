"""The command line of an app: train, evaluate, export, predict, and its optional commands."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union

import tyro

from apps.common.app import App
from apps.common.commands import Compare, Evaluate, Export, Predict, Score, Train
from apps.common.config import PredictOptions
from apps.common.errors import UserError
from apps.common.help_text import TYPES, described
from apps.common.hints import command
from apps.common.run_folder import CONFIG, RUN, nearest, read_run
from datasets.formats.lines import DataError

USAGE_ERROR, BROKEN_PIPE = 2, 141  # as shells report SIGPIPE


class Command(NamedTuple):
    """A command of an app."""

    type: Any  # a dataclass: its fields are the options
    default: Any
    description: str


def main(app: App, args: Sequence[str]) -> int:
    """Run the command line of an app.

    Args:
        app: A package that follows `apps.common.app`.
        args: Command-line arguments.

    Returns:
        The exit code: 0; 2 for an error that the user can fix, with one line on stderr, or without
        arguments, with the help; 141 if the reader of the output, such as `head`, has closed it.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal may lack characters of an answer
            stream.reconfigure(errors="backslashreplace")
    if not args:
        with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(SystemExit):
            parse(app, ["--help"])
        return USAGE_ERROR
    try:
        parse(app, args).execute(app, args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        if not (problem := _problem(error)):
            raise
        print(f"error: {problem}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def parse(app: App, args: Sequence[str]) -> Any:
    """Parse arguments to a command; its `execute` does the work.

    Raises:
        SystemExit: After help, or after a message about an unknown or missing argument.
    """
    available = commands(app, _preset(app, args), _stored(app, args))
    program, options = f"python -m {app.__name__}", {"use_underscores": True, "registry": TYPES}
    name, *rest = args
    if name in available:
        kind, default, description = available[name]
        return tyro.cli(
            kind,
            prog=f"{program} {name}",
            description=description,
            args=rest,
            default=default,
            **options,
        )
    union = Union[  # noqa: UP007 (the number of types varies)
        tuple(
            Annotated[
                kind,
                tyro.conf.subcommand(
                    name, default=default, description=description, prefix_name=False
                ),
            ]
            for name, (kind, default, description) in available.items()
        )
    ]
    return tyro.cli(
        union, prog=program, description=app.__doc__.splitlines()[0], args=args, **options
    )


def commands(app: App, preset: str, stored: Any = None) -> Mapping[str, Command]:
    """Return the commands of an app by name, with the defaults of a preset or a stored run."""
    run = Path("runs") / app.NAME / preset
    options = getattr(app, "PredictOptions", PredictOptions)
    train, predict = Train[Literal[tuple(app.PRESETS)], app.Config], Predict[options]
    types = {
        "train": (train, train(preset, run, stored or app.PRESETS[preset])),
        "evaluate": (Evaluate, Evaluate()),
        "export": (Export, Export(run)),
        "predict": (predict, predict(options())),
    }
    if "score" in app.__getattr__:  # not hasattr, which would import TensorFlow
        types["score"] = (Score, Score())
    if "compare" in app.__getattr__:
        types["compare"] = (Compare, tyro.MISSING)
    text = app.examples(app.PRESETS[preset])[:1]
    examples = {
        "train": ["--preset", preset],
        "evaluate": ["--run", str(run)],
        "export": ["--run", str(run)],
        "predict": ["--run", str(run), *text],
        "score": ["--run", str(run), *text, "its translation"],
        "compare": ["curves.png", "first=1.json", "second=2.json"],
    }
    return {
        name: Command(kind, default, described(kind, command(app, [name, *examples[name]])))
        for name, (kind, default) in types.items()
    }


def _preset(app: App, args: Sequence[str]) -> str:
    """Find the preset, which determines the defaults of the other options."""
    preset = _value(args, "preset") or next(iter(app.PRESETS))
    if preset not in app.PRESETS:
        raise UserError(f"no preset {preset!r}{nearest(preset, app.PRESETS)}")
    return preset


def _stored(app: App, args: Sequence[str]) -> Any:
    """Return the configuration of the run that `train` resumes, if its preset is left open."""
    if args[0] != "train" or _value(args, "preset") or {"-h", "--help"} & {*args}:
        return None
    run = _value(args, "run")
    if run is None and _value(args, "train_file"):
        run = Path("runs") / app.NAME / next(iter(app.PRESETS))
    if run is None or not all((Path(run) / name).exists() for name in (CONFIG, RUN)):
        return None
    return read_run(Path(run), app)[0]


def _value(args: Sequence[str], name: str) -> str | None:
    """Find the value of an option before the arguments are parsed."""
    for option, value in zip(args, [*args[1:], None], strict=True):
        found, equals, joined = option.partition("=")
        if found.replace("-", "_") == f"__{name}":
            return joined if equals else value
    return None


def _problem(error: Exception) -> str:
    """Describe in one line what the user can fix; return an empty string for any other error."""
    if isinstance(error, UserError | DataError):
        return str(error)
    if isinstance(error, OSError):  # such as no space or no permission
        return (
            f"{error.filename}: {error.strerror}"
            if error.filename
            else error.strerror or str(error)
        )
    # TensorFlow's error by name, because help doesn't import TensorFlow.
    is_exhausted = type(error).__name__ == "ResourceExhaustedError"
    if is_exhausted and "No space left" in str(error):
        return "no space left on the device; free some, or choose another folder"
    if is_exhausted or isinstance(error, MemoryError):
        return "out of memory; choose smaller sizes, and another --run folder to train in"
    return ""
