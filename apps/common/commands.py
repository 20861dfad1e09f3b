"""The commands of an app: each field is an option, `execute` does the work."""

import contextlib
import dataclasses
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from apps.common import run_folder
from apps.common.app import App
from apps.common.app import Export as ExportFacts
from apps.common.errors import UserError
from apps.common.files import PICTURES, check_new_file, read_json, save_picture, write_json
from apps.common.hints import command, print_next
from apps.common.report import evaluation_text, self_test_text
from apps.common.start_tensorflow import import_tensorflow
from apps.common.trained_model import Source, concrete_functions
from datasets.formats.lines import decode_lines, read_lines

RELEASES = Path(__file__).parents[2] / "saved_models"
RESULT = {"seed", "scores", "evaluated_checksum"}  # keys of `evaluate --json`
BATCH = 64  # lines of a file that are processed together
SourceOptions, NO_SOURCE = Annotated[Source, arg(name="")], Source()
Folder = Annotated[Path, arg(metavar="DIR")]
MaybeFile = Annotated[Path | None, arg(metavar="FILE")]
Texts = Annotated[Positional[tuple[str, ...]], arg(metavar="[TEXT ...]", help_behavior_hint="")]
Flag = Annotated[bool, FlagCreatePairsOff]
Preset, Config, Options = TypeVar("Preset"), TypeVar("Config"), TypeVar("Options")


@dataclasses.dataclass(frozen=True)
class Train(Generic[Preset, Config]):
    """Train a model, or resume its training.

    Run the same command again, or just `train --run DIR`, to resume an interrupted run (Ctrl-C,
    kill, power cut): it ends with the same numbers as an uninterrupted one. With more epochs, a
    finished run is trained longer; the learning rate follows the new number of epochs.
    """

    preset: Preset
    """Configuration to start from; the other options override its values."""
    run: Folder
    """Folder of the run."""
    config: Annotated[Config, arg(name="")]

    def execute(self, app: App, args: Sequence[str]) -> None:
        config, run = self.config, self.run
        run_folder.check_config(run, config, app)
        import_tensorflow()
        import keras
        import tensorflow as tf

        from apps.common.small_data import compare_with_baseline, with_enough_steps
        from apps.common.training.fit import Stopping, Training

        keras.utils.set_random_seed(config.seed)
        sixteen_bit = (
            "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
        )
        keras.config.set_dtype_policy(sixteen_bit if config.mixed_precision else "float32")

        data = app.load(config)
        print(data.describe(), file=sys.stderr)
        has_files = getattr(config, "train_file", None) is not None
        if has_files and not (run / run_folder.CONFIG).exists():
            data = with_enough_steps(data, args)
            config = data.config
        facts = {
            "app": app.NAME,
            "command": command(app, args),
            "commit": run_folder.git_commit(),
            "data_checksum": data.checksum,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        }
        run_folder.create(run, config, facts)
        data.save(run)
        model = app.build(config, data)
        result = Training(
            model,
            data.batches,
            data.steps_per_epoch,
            app.validation(config, model, data),
            run,
            Stopping(config.epochs, data.monitor, data.mode, config.patience),
            callbacks=app.callbacks(config, run) if "callbacks" in app.__getattr__ else (),
            average=getattr(config, "average", 1),
        ).fit()
        facts = read_json(run / run_folder.RUN) | {"training": dataclasses.asdict(result)}
        write_json(run / run_folder.RUN, facts)
        if has_files:
            compare_with_baseline(data, result)
        print()
        split = () if "test" in config.splits else ("--split", "dev")
        source = "--run", str(run)
        print_next(app, ["evaluate", *source, *split], ["export", *source])


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Score a model next to baselines that need no training.

    What is scored are the functions of an export, even for a run folder that has none yet.
    """

    source: SourceOptions = NO_SOURCE
    split: Literal["dev", "test"] = "test"
    """Held-out data of the run."""
    test_file: MaybeFile = None
    """Your own file in the format of the training file (copy_task: lines of bits), instead of a
    split."""
    picture: MaybeFile = None
    """Plot the scores to a new .png, .svg or .pdf file (copy_task and translator)."""
    json: Flag = False
    """Also print the result as one line of JSON, last."""

    def execute(self, app: App, args: Sequence[str]) -> None:
        if self.picture:
            check_new_file(self.picture, PICTURES)
            if "compare" not in app.__getattr__:
                raise UserError(f"picture: {app.NAME} has no plot of its scores")
        loaded = self.source.open(app)
        began = time.monotonic()
        evaluation = app.evaluate(
            loaded.config, loaded.signatures, loaded.folder, self.split, self.test_file
        )
        seconds = time.monotonic() - began
        evaluated = str(self.test_file or self.split)
        print(evaluation_text(f"{self.source}, {evaluated}", evaluation))
        if self.picture:
            save_picture(evaluation.picture(), self.picture)
        if self.json:
            row = {
                "app": app.NAME,
                "command": command(app, args),
                "commit": run_folder.git_commit(),
                "evaluated": evaluated,
                "evaluated_checksum": evaluation.checksum,
                "metric": evaluation.metric,
                "scores": evaluation.scores,
                "baselines": evaluation.baselines,
                "size": evaluation.size,
                **evaluation.figures,
                "seconds": round(seconds, 3),
                "seed": loaded.config.seed,
                "train_command": loaded.facts["command"],
                "train_commit": loaded.facts["commit"],
                "data_checksum": loaded.facts["data_checksum"],
                "training": loaded.facts.get("training") or {},
            }
            print(json.dumps(row, ensure_ascii=False, default=str))


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a SavedModel with the model's signatures, and self-test it.

    Writes RUN/export/NAME/VERSION with golden examples, warm-up records and a model card, scores
    it, and replays the examples in a fresh process without seqkit and Keras.
    """

    run: Folder
    """Folder of a run."""
    release: Flag = False
    """Write saved_models/NAME/VERSION of this clone instead."""
    json: Flag = False
    """Print the result of each self-test as a line of JSON instead of a table."""

    def execute(self, app: App, args: Sequence[str]) -> None:
        run = self.run
        config, facts = run_folder.read_run(run, app)
        import_tensorflow()

        exports = app.export(config, run)
        scores = _scores(app, config, exports[0], run)
        root = RELEASES if self.release else run / "export"
        for exported in exports:
            report = _write(root, exported, run, facts | {"seed": config.seed}, scores)
            print(json.dumps(report) if self.json else self_test_text(report), flush=True)
        source = ("--saved_model", str(root / app.NAME)) if self.release else ("--run", str(run))
        if not self.json:
            print_next(app, *(["predict", *source, text] for text in app.examples(config)[:1]))


@dataclasses.dataclass(frozen=True)
class Predict(Generic[Options]):
    """Run an exported model on inputs, such as sentences; run `export` first."""

    options: Annotated[Options, arg(name="")]
    text: Texts = ()
    """Inputs, one per argument; without arguments and --file, each line of stdin is processed."""
    source: SourceOptions = NO_SOURCE
    file: MaybeFile = None
    """File with one input per line, processed in batches."""
    json: Flag = False
    """Print each answer as a line of JSON."""

    def execute(self, app: App, args: Sequence[str]) -> None:
        if self.text and self.file:
            raise UserError("give either texts or --file FILE")
        loaded = self.source.open(app, exported=True)
        reads_text = self.text or self.file or self.options.needs_text
        batches = _batches(self.text, self.file) if reads_text else ()
        for text, record in app.predict(self.options, loaded.signatures, batches):
            if self.json or self.options.prints_answers:
                _print_answer(text, record, self.json)


@dataclasses.dataclass(frozen=True)
class Score:
    """Compute the probability that an export assigns to given answers.

    Prints the log-likelihood (natural logarithm) of the answer, in total and per piece, and the
    answer.
    """

    text: Texts = ()
    """Two texts: an input and its answer."""
    source: SourceOptions = NO_SOURCE
    file: MaybeFile = None
    """Inputs and answers in the format of the training file."""
    json: Flag = False
    """Print each result as a line of JSON, with the log-probability of each piece."""

    def execute(self, app: App, args: Sequence[str]) -> None:
        if len(self.text) != (0 if self.file else 2):
            raise UserError("give either two texts, an input and its answer, or --file FILE")
        texts = tuple(itertools.chain(*_batches(self.text, None))) if self.text else ()
        loaded = self.source.open(app, exported=True)
        for text, record in app.score(loaded.signatures, texts, self.file):
            _print_answer(text, record, self.json)


@dataclasses.dataclass(frozen=True)
class Compare:
    """Plot several results of `evaluate --json` in one picture."""

    picture: Annotated[Positional[Path], arg(metavar="PICTURE")]
    """A new .png, .svg or .pdf file."""
    results: Annotated[
        Positional[tuple[str, ...]], arg(metavar="FILE ...", help_behavior_hint="(required)")
    ]
    """Files with the last line of `evaluate --json`, each as FILE or NAME=FILE; NAME labels the
    curve instead of the seed."""

    def execute(self, app: App, args: Sequence[str]) -> None:
        check_new_file(self.picture, PICTURES)
        if not self.results:
            raise UserError("give the results to compare: files with the line of evaluate --json")
        rows = {}
        for argument in self.results:
            name, _, file = argument.rpartition("=")
            row = _last_json(Path(file))
            if not isinstance(row, dict) or row.get("app") != app.NAME or not row.keys() >= RESULT:
                raise UserError(f"{file}: not a result of {app.NAME}'s evaluate --json")
            name = name or f"seed {row['seed']}"
            if name in rows:
                raise UserError(
                    f"{file}: another result is named {name}; give it a name with NAME={file}"
                )
            rows[name] = row
        save_picture(app.compare(rows), self.picture)


def _scores(app: App, config: Any, exported: ExportFacts, run: Path) -> dict[str, float]:
    """Score an export that is not written yet on its held-out splits, for the model card."""
    functions, scores = concrete_functions(exported), {}
    for split in exported.splits:
        evaluation = app.evaluate(config, functions, run, split, None)
        for system, values in {"model": evaluation.scores, **evaluation.baselines}.items():
            scores |= {f"{split}, {system}, {name}": v for name, v in values.items()}
    return scores


def _write(
    root: Path, exported: ExportFacts, run: Path, facts: Mapping[str, Any], scores: dict[str, float]
) -> dict[str, Any]:
    """Write an export with its model card, and return the report of its self-test."""
    from seqkit.export import SelfTestError, model_card, self_test, write

    card = model_card(
        exported.title,
        name=exported.name,
        data=exported.data,
        licence=exported.licence,
        command=facts["command"],
        seed=facts["seed"],
        scores=scores,
        signatures=exported.signatures,
        examples=exported.examples,
        notes=exported.notes,
        operations=exported.operations,
    )
    # For `evaluate --saved_model`.
    record = {name: (run / name).read_bytes() for name in (run_folder.CONFIG, run_folder.RUN)}
    try:
        version = write(
            root / exported.name,
            exported.module,
            exported.signatures,
            exported.examples,
            card,
            extra={**record, **exported.extra},
        )
        return self_test(version)
    except (FileExistsError, SelfTestError) as error:
        raise UserError(str(error)) from None


def _print_answer(text: str, record: dict[str, Any], as_json: bool) -> None:
    print(json.dumps(record, ensure_ascii=False) if as_json else text, flush=True)


def _last_json(path: Path) -> Any:
    """Read a JSON file, or the JSON in the last line of a file; return None if there is none."""
    text = path.read_bytes()
    for part in (text, text.strip().rpartition(b"\n")[2]):
        with contextlib.suppress(ValueError):
            return json.loads(part)
    return None


def _batches(texts: tuple[str, ...], file: Path | None) -> Iterator[list[str]]:
    """Yield batches of lines: one at a time when typed, BATCH from a file."""
    if texts:
        for number, text in enumerate(texts, start=1):
            yield from ([line] for line in decode_lines([os.fsencode(text)], f"argument {number}"))
    elif file:
        lines = read_lines(file)
        while batch := list(itertools.islice(lines, BATCH)):
            yield batch
    else:
        if sys.stdin.isatty():
            end = "Ctrl-Z" if os.name == "nt" else "Ctrl-D"
            print(f"reading lines from the terminal; end with {end}", file=sys.stderr)
        yield from ([line] for line in decode_lines(sys.stdin.buffer, "stdin"))
