"""What the commands of an app do; `apps.common.command_line` says how they are called."""

import dataclasses
import itertools
import json
import os
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from apps.common import run_folder
from apps.common.app import App, Evaluation, Export, Signatures
from apps.common.errors import UserError
from apps.common.new_file import PICTURES, check_new_file
from apps.common.report import evaluation_text
from apps.common.start_tensorflow import import_tensorflow
from datasets.formats.lines import decode_lines, read_lines

RELEASES = Path(__file__).parents[2] / "saved_models"
BATCH = 64  # lines of a file that are answered at once
FACTS = "assets.extra"  # folder of an export that servers leave alone


@dataclasses.dataclass(frozen=True)
class Source:
    """What to evaluate or to ask: a run folder or an export, one of the two."""

    run: Path | None
    saved_model: Path | None

    def __str__(self) -> str:
        return f"--run {self.run}" if self.run else f"--saved_model {self.saved_model}"


@dataclasses.dataclass(frozen=True)
class Served:
    """The functions that are served, and where they come from."""

    signatures: Signatures
    config: Any
    facts: dict[str, Any]  # run.json
    folder: Path  # that has what the app's `Data.save` wrote
    owner: Any  # of the variables; to be kept as long as the functions


def train(app: App, config: Any, run: Path, args: list[str]) -> None:
    """Train, or resume, in a run folder."""
    run_folder.check_config(run, config)
    import_tensorflow()
    import keras
    import tensorflow as tf

    from apps.common.fit import fit

    keras.utils.set_random_seed(config.seed)
    sixteen_bit = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
    keras.config.set_dtype_policy(sixteen_bit if config.mixed_precision else "float32")

    data = app.load(config)
    facts = {
        "app": app.NAME,
        "command": command(app, args),
        "commit": run_folder.git_commit(),
        "data_checksum": data.checksum,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    run_folder.begin(run, config, facts)
    data.save(run)
    model = app.build(config, data)
    result = fit(
        model,
        data.batches,
        data.steps_per_epoch,
        app.validation(config, model, data),
        run,
        epochs=config.epochs,
        monitor=data.monitor,
        mode=data.mode,
        callbacks=app.callbacks(config, run),
        patience=config.patience,
        average=getattr(config, "average", 1),
    )
    facts = run_folder.read_json(run / run_folder.RUN)
    training = dataclasses.asdict(result)
    run_folder.write_json(run / run_folder.RUN, {**facts, "training": training})
    print("\nNext:")
    answers = [["predict", text] for text in app.examples(config)[:1]]
    for line in (["evaluate"], ["export"], *answers):
        print(" ", command(app, [line[0], "--run", str(run), *line[1:]]))


def evaluate(
    app: App,
    source: Source,
    split: str,
    file: Path | None,
    picture: Path | None,
    as_json: bool,
    args: list[str],
) -> None:
    """Score what is served, and print it for the reader or, last, for a machine."""
    if picture:
        check_new_file(picture, PICTURES)
    served = open_run(app, source.run) if source.run else open_export(app, source.saved_model)
    began = time.monotonic()
    evaluation = app.evaluate(served.config, served.signatures, served.folder, split, file)
    seconds = time.monotonic() - began
    print(evaluation_text(f"{source}, {file or split}", evaluation))
    if picture:
        if not evaluation.picture:
            raise UserError(f"{app.NAME} has no picture of its scores")
        evaluation.picture(picture)
        print(f"{picture}: written")
    if as_json:
        training = served.facts.get("training") or {}
        row = {
            "app": app.NAME,
            "command": command(app, args),
            "commit": run_folder.git_commit(),
            "evaluated": str(file or split),
            "evaluated_checksum": evaluation.checksum,
            "metric": evaluation.metric,
            "scores": evaluation.scores,
            "baselines": evaluation.baselines,
            "size": evaluation.size,
            **evaluation.figures,
            "seconds": round(seconds, 3),
            "seed": served.config.seed,
            "train_command": served.facts["command"],
            "train_commit": served.facts["commit"],
            "data_checksum": served.facts["data_checksum"],
            "training": training,
        }
        print(json.dumps(row, ensure_ascii=False, default=str))


def export(app: App, run: Path, release: bool) -> None:
    """Write a version of a run's model, scored and proven."""
    config = run_folder.read_config(run, app.Config)
    facts = run_folder.read_json(run / run_folder.RUN)
    import_tensorflow()
    from seqkit.export import SelfTestError, model_card, self_test, write

    exports = app.export(config, run)
    # For `evaluate --saved_model`.
    record = {f: (run / f).read_text() for f in (run_folder.CONFIG, run_folder.RUN)}
    scores = {}
    for split in exports[0].splits:
        evaluation = app.evaluate(config, _functions(exports[0]), run, split, None)
        scores |= _card_scores(split, evaluation)
    for exported in exports:
        card = model_card(
            exported.title,
            name=exported.name,
            data=exported.data,
            licence=exported.licence,
            command=facts["command"],
            seed=config.seed,
            scores=scores,
            signatures=exported.signatures,
            examples=exported.examples,
            notes=exported.notes,
            operations=exported.operations,
        )
        try:
            version = write(
                (RELEASES if release else run / "export") / exported.name,
                exported.module,
                exported.signatures,
                exported.examples,
                card,
                extra={**record, **exported.extra},
            )
            report = self_test(version)
        except (FileExistsError, SelfTestError) as error:
            raise UserError(str(error)) from None
        print(f"{version}: written; self-test passed in a process without seqkit and Keras:")
        print(json.dumps(report))


def predict(
    app: App, source: Source, texts: tuple[str, ...], file: Path | None, options: Any, as_json: bool
) -> None:
    """Answer texts, the lines of a file, or those of stdin as they come, with an export."""
    served = _newest(app, source)
    batches = _batches(texts, file) if texts or file or options.needs_text else ()
    _print_answers(app.predict(options, served.signatures, batches), as_json)


def score(
    app: App, source: Source, texts: tuple[str, ...], file: Path | None, as_json: bool
) -> None:
    """Tell how probable an export finds an answer, or those of a file."""
    texts = tuple(text for batch in (_batches(texts, None) if texts else ()) for text in batch)
    served = _newest(app, source)
    _print_answers(app.score(served.signatures, texts, file), as_json)


def open_run(app: App, run: Path) -> Served:
    """Open the best model of a run folder as it would be served."""
    config = run_folder.read_config(run, app.Config)
    facts = run_folder.read_json(run / run_folder.RUN)
    import_tensorflow()
    exported, *_ = app.export(config, run)
    return Served(_functions(exported), config, facts, run, exported.module)


def open_export(app: App, path: Path) -> Served:
    """Open an export, or the newest of the folder of its versions."""
    import_tensorflow()
    import tensorflow as tf

    from seqkit.export import load_model, resolve

    try:
        version = resolve(path)
    except FileNotFoundError as error:
        raise UserError(f"{error}; to write one: {command(app, ['export', '--help'])}") from None
    config = run_folder.read_config(version / FACTS, app.Config)
    facts = run_folder.read_json(version / FACTS / run_folder.RUN)
    try:
        loaded = load_model(version)
    except ImportError as error:
        raise UserError(f"{version}: {error}") from None
    except (OSError, IndexError, KeyError, ValueError, tf.errors.OpError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{version}: damaged ({problem}); export again") from None
    return Served(loaded.signatures, config, facts, version / FACTS, loaded)


def load_model(run: Path) -> Any:
    """Load `model.keras` of a run folder, to be served: without its optimizer.

    Raises:
        UserError: it is missing or damaged.
    """
    import zipfile

    import keras

    path = run / "model.keras"
    if not path.exists():
        raise UserError(f"{path}: no such file; train at least one epoch first")
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        problem = str(error).splitlines()[0]
        raise UserError(f"{path}: damaged ({problem}); train into a new folder") from None


def command(app: App, args: list[str]) -> str:
    """Write a command as the user types it."""
    return shlex.join(["python", "-m", f"apps.{app.NAME}", *args])


def _newest(app: App, source: Source) -> Served:
    """The export that is named, or the newest of a run."""
    return open_export(app, source.saved_model or source.run / "export" / app.NAME)


def _print_answers(answers: Iterable[tuple[str, dict[str, Any]]], as_json: bool) -> None:
    for text, record in answers:
        print(json.dumps(record, ensure_ascii=False) if as_json else text, flush=True)


def _functions(exported: Export) -> Signatures:
    return {name: signature.concrete for name, signature in exported.signatures.items()}


def _batches(texts: tuple[str, ...], file: Path | None) -> Iterator[list[str]]:
    """Lines in the size in which they are answered: who types them waits for each."""
    if texts:
        for number, text in enumerate(texts, start=1):
            yield from ([line] for line in decode_lines([os.fsencode(text)], f"argument {number}"))
    elif file:
        lines = read_lines(file)
        while batch := list(itertools.islice(lines, BATCH)):
            yield batch
    else:
        yield from ([line] for line in decode_lines(sys.stdin.buffer, "stdin"))


def _card_scores(split: str, evaluation: Evaluation) -> dict[str, float]:
    systems = {"model": evaluation.scores, **evaluation.baselines}
    return {
        f"{split}, {system}, {name}": value
        for system, scores in systems.items()
        for name, value in scores.items()
    }
