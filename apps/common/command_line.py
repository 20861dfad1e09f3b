"""The command line of an app: train, evaluate, export, predict and, of some, score."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from apps.common import commands
from apps.common.app import App
from apps.common.errors import UserError
from apps.common.run_folder import nearest
from datasets.formats.lines import DataError


def main(app: App, args: Sequence[str] | None = None) -> int:
    """Run the command line of an app.

    Args:
        app: a package that follows `apps.common.app`.
        args: the arguments; by default those of the process.

    Returns:
        The exit code: 0; 2 if the user can put it right, which one line on stderr tells; 130 after
        Ctrl-C.
    """
    args = list(sys.argv[1:] if args is None else args)
    try:
        _run(app, args)
    except BrokenPipeError:  # the reader, e.g. `head`, has enough
        sys.stderr.close()
    except (UserError, DataError, OSError) as error:  # OSError: no space, no permission
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _run(app: App, args: list[str]) -> None:
    preset = _preset(app, args)
    config_type = Annotated[app.Config, tyro.conf.arg(name="")]
    options_type = Annotated[app.PredictOptions, tyro.conf.arg(name="")]
    default_options = app.PredictOptions()
    default_run = Path("runs") / app.NAME / preset

    def train(
        preset: Literal[tuple(app.PRESETS)] = preset,
        run: Path = default_run,
        config: config_type = app.PRESETS[preset],
    ) -> None:
        """Train a model, or go on with it.

        The same command again resumes where the run was interrupted (Ctrl-C, kill, power cut)
        and ends with the same numbers as an unbroken run.

        Args:
            preset: configuration to start from; the other options change it.
            run: folder of the run.
        """
        commands.train(app, config, run, ["train", *args[1:]])

    def evaluate(
        run: Path | None = None,
        saved_model: Path | None = None,
        split: Literal["dev", "test"] = "test",
        test_file: Path | None = None,
        picture: Path | None = None,
        json: bool = False,
    ) -> None:
        """Score a model next to baselines that need no training.

        Scores what is served: the functions of the export, of a run folder as of a SavedModel.

        Args:
            run: folder of a run; its best weights so far.
            saved_model: an export, or the folder of its versions; instead of a run.
            split: held-out data of the run.
            test_file: your own file in the form of the training file, instead of a split.
            picture: draw the scores, if there is something to see: a new .png, .svg or .pdf file.
            json: print one machine-readable line last.
        """
        commands.evaluate(app, _source(run, saved_model), split, test_file, picture, json, args)

    def export(run: Path = default_run, release: bool = False) -> None:
        """Write a SavedModel that answers raw text, and prove it.

        Writes RUN/export/NAME/VERSION with its golden examples, warm-up records and model card,
        scores it, and replays the examples in a fresh process without seqkit and Keras.

        Args:
            run: folder of a run.
            release: write saved_models/NAME/VERSION of this clone instead.
        """
        commands.export(app, run, release)

    def predict(
        text: tyro.conf.Positional[tuple[str, ...]] = (),
        run: Path | None = None,
        saved_model: Path | None = None,
        file: Path | None = None,
        options: options_type = default_options,
        json: bool = False,
    ) -> None:
        """Answer text with an export.

        What is shown is what is served: run `export` first.

        Args:
            text: one input each; without any, and without a file, the lines of stdin are answered
                as they come.
            run: folder of a run; its newest export is used.
            saved_model: an export, or the folder of its versions; instead of a run.
            file: text to answer line by line, many lines at once.
            json: print each answer as a line of JSON.
        """
        if text and file:
            raise UserError("give either texts or --file FILE")
        commands.predict(app, _source(run, saved_model), text, file, options, json)

    def score(
        text: tyro.conf.Positional[tuple[str, ...]] = (),
        run: Path | None = None,
        saved_model: Path | None = None,
        file: Path | None = None,
        json: bool = False,
    ) -> None:
        """Tell how probable an export finds given answers.

        Prints the log-likelihood (natural logarithm) of the answer, the same for each of its
        pieces, and the answer.

        Args:
            text: an input and its answer, two texts.
            run: folder of a run; its newest export is used.
            saved_model: an export, or the folder of its versions; instead of a run.
            file: many of them, in the form of the training file.
            json: print each as a line of JSON, piece by piece.
        """
        if len(text) != (0 if file else 2):
            raise UserError("give either two texts, an input and its answer, or --file FILE")
        commands.score(app, _source(run, saved_model), text, file, json)

    functions = {"train": train, "evaluate": evaluate, "export": export, "predict": predict}
    if "score" in app.__all__:  # not hasattr, which would import TensorFlow
        functions["score"] = score
    tyro.extras.subcommand_cli_from_dict(
        functions,
        prog=f"python -m apps.{app.NAME}",
        description=app.__doc__.splitlines()[0],
        args=args,
        use_underscores=True,
    )


def _preset(app: App, args: list[str]) -> str:
    """The preset has to be known before the defaults of the other options are."""
    default = next(iter(app.PRESETS))
    for option, value in zip(args, [*args[1:], default], strict=True):
        name, equals, joined = option.partition("=")
        if name == "--preset":
            preset = joined if equals else value
            if preset not in app.PRESETS:
                raise UserError(f"no preset {preset!r}{nearest(preset, app.PRESETS)}")
            return preset
    return default


def _source(run: Path | None, saved_model: Path | None) -> commands.Source:
    if (run is None) == (saved_model is None):
        raise UserError("give either --run DIR or --saved_model DIR")
    return commands.Source(run, saved_model)
