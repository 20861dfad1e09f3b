"""What the commands of an app do; `apps.common.command_line` says how they are called."""

import dataclasses
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.common import run_folder
from apps.common.app import App, Evaluation, Signatures
from apps.common.errors import UserError
from apps.common.quiet import import_tensorflow
from apps.common.report import evaluation_text
from datasets.text import decode_lines

RELEASES = Path(__file__).parents[2] / "saved_models"
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
        lambda model: app.validate(config, model, data),
        run,
        epochs=config.epochs,
        monitor=app.MONITOR,
        patience=config.patience,
    )
    facts = run_folder.read_json(run / run_folder.RUN)
    training = dataclasses.asdict(result)
    run_folder.write_json(run / run_folder.RUN, {**facts, "training": training})
    print("\nNext:")
    for line in (["evaluate"], ["export"], ["predict", app.EXAMPLES[0]]):
        print(" ", command(app, [line[0], "--run", str(run), *line[1:]]))


def evaluate(
    app: App, source: Source, split: str, file: Path | None, as_json: bool, args: list[str]
) -> None:
    """Score what is served, and print it for the reader or, last, for a machine."""
    served = open_run(app, source.run) if source.run else open_export(app, source.saved_model)
    began = time.monotonic()
    evaluation = app.evaluate(served.config, served.signatures, split, file)
    seconds = time.monotonic() - began
    print(evaluation_text(f"{source}, {file or split}", evaluation))
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

    exported = app.export(config, run)
    signatures = {name: signature.concrete for name, signature in exported.signatures.items()}
    scores = {}
    for split in exported.splits:
        evaluation = app.evaluate(config, signatures, split, None)
        scores |= _card_scores(split, evaluation)
    card = model_card(
        exported.title,
        name=app.NAME,
        data=exported.data,
        licence=exported.licence,
        command=facts["command"],
        seed=config.seed,
        scores=scores,
        signatures=exported.signatures,
        examples=exported.examples,
        notes=exported.notes,
    )
    root = (RELEASES if release else run / "export") / app.NAME
    try:
        version = write(
            root,
            exported.module,
            exported.signatures,
            exported.examples,
            card,
            # For `evaluate --saved_model`.
            extra={f: (run / f).read_text() for f in (run_folder.CONFIG, run_folder.RUN)},
        )
        report = self_test(version)
    except (FileExistsError, SelfTestError) as error:
        raise UserError(str(error)) from None
    print(f"{version}: written; self-test passed in a process without seqkit and Keras:")
    print(json.dumps(report))


def predict(app: App, source: Source, texts: tuple[str, ...], as_json: bool) -> None:
    """Answer texts, or the lines of stdin as they come, with an export."""
    served = open_export(app, source.saved_model or source.run / "export" / app.NAME)
    for text, record in app.predict(served.signatures, _inputs(texts)):
        print(json.dumps(record, ensure_ascii=False) if as_json else text, flush=True)


def open_run(app: App, run: Path) -> Served:
    """Open the best model of a run folder as it would be served."""
    config = run_folder.read_config(run, app.Config)
    facts = run_folder.read_json(run / run_folder.RUN)
    import_tensorflow()
    exported = app.export(config, run)
    signatures = {name: signature.concrete for name, signature in exported.signatures.items()}
    return Served(signatures, config, facts, exported.module)


def open_export(app: App, path: Path) -> Served:
    """Open an export, or the newest of the folder of its versions."""
    import_tensorflow()
    import tensorflow as tf

    from seqkit.export import resolve

    try:
        version = resolve(path)
    except FileNotFoundError as error:
        raise UserError(f"{error}; to write one: {command(app, ['export', '--help'])}") from None
    config = run_folder.read_config(version / FACTS, app.Config)
    facts = run_folder.read_json(version / FACTS / run_folder.RUN)
    try:
        loaded = tf.saved_model.load(version)
    except (OSError, IndexError, KeyError, ValueError, tf.errors.OpError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{version}: damaged ({problem}); export again") from None
    return Served(loaded.signatures, config, facts, loaded)


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


def _inputs(texts: tuple[str, ...]) -> Iterator[str]:
    for number, text in enumerate(texts, start=1):
        yield from decode_lines([os.fsencode(text)], f"argument {number}")
    if not texts:
        yield from decode_lines(sys.stdin.buffer, "stdin")


def _card_scores(split: str, evaluation: Evaluation) -> dict[str, float]:
    systems = {"model": evaluation.scores, **evaluation.baselines}
    return {
        f"{split}, {system}, {name}": value
        for system, scores in systems.items()
        for name, value in scores.items()
    }
