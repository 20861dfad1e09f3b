"""The command line of an app: train, evaluate, export, predict, and its optional commands."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import tyro

from apps.common.app import App
from apps.common.commands import Compare, Evaluate, Export, Predict, Score, Train
from apps.common.config import PredictOptions
from apps.common.errors import UserError
from apps.common.run_folder import nearest
from datasets.formats.lines import DataError


def main(app: App, args: Sequence[str] | None = None) -> int:
    """Run the command line of an app.

    Args:
        app: A package that follows `apps.common.app`.
        args: Command-line arguments; None: `sys.argv[1:]`.

    Returns:
        The exit code: 0; 2 for an error that the user can fix, with one line on stderr; 130 after
        Ctrl-C.
    """
    args = list(sys.argv[1:] if args is None else args)
    try:
        command = tyro.cli(
            subcommands(app, _preset(app, args)),
            prog=f"python -m apps.{app.NAME}",
            description=app.__doc__.splitlines()[0],
            args=args,
            use_underscores=True,
        )
        command.execute(app, args)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        sys.stderr.close()
    except (UserError, DataError, OSError) as error:  # OSError: such as no space or no permission
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def subcommands(app: App, preset: str) -> Any:
    """Return the type of an app's command line: a union of its commands, with their defaults."""
    run = Path("runs") / app.NAME / preset
    options = getattr(app, "PredictOptions", PredictOptions)
    train, predict = Train[Literal[tuple(app.PRESETS)], app.Config], Predict[options]
    commands = {
        "train": (train, train(preset, run, app.PRESETS[preset])),
        "evaluate": (Evaluate, Evaluate()),
        "export": (Export, Export(run)),
        "predict": (predict, predict(options())),
    }
    if "score" in app.__getattr__:  # not hasattr, which would import TensorFlow
        commands["score"] = (Score, Score())
    if "compare" in app.__getattr__:
        commands["compare"] = (Compare, tyro.MISSING)
    return Union[  # noqa: UP007 (the number of types varies)
        tuple(
            Annotated[kind, tyro.conf.subcommand(name, default=default, prefix_name=False)]
            for name, (kind, default) in commands.items()
        )
    ]


def _preset(app: App, args: Sequence[str]) -> str:
    """Find the preset, which determines the defaults of the other options."""
    default = next(iter(app.PRESETS))
    for option, value in zip(args, [*args[1:], default], strict=False):
        name, equals, joined = option.partition("=")
        if name == "--preset":
            preset = joined if equals else value
            if preset not in app.PRESETS:
                raise UserError(f"no preset {preset!r}{nearest(preset, app.PRESETS)}")
            return preset
    return default
