"""The signatures of a trained model: of the best model of a run folder, or of an export."""

import dataclasses
from pathlib import Path
from typing import Any

from apps.common import run_folder
from apps.common.app import App, Export, Signatures
from apps.common.errors import UserError
from apps.common.files import read_json
from apps.common.start_tensorflow import import_tensorflow

ASSETS = "assets.extra"  # folder of an export that servers ignore


@dataclasses.dataclass(frozen=True)
class Source:
    """A run folder or an export, exactly one of the two."""

    run: Path | None = None
    """Folder of a run: its best weights so far for `evaluate`, otherwise its newest export."""
    saved_model: Path | None = None
    """An export, or the folder of its versions; instead of a run."""

    def __str__(self) -> str:
        return f"--run {self.run}" if self.run else f"--saved_model {self.saved_model}"

    def open(self, app: App, exported: bool = False) -> "TrainedModel":
        """Open the export, or the run folder: its best model, or if `exported` its newest export.

        Raises:
            UserError: If not exactly one of the two is given, or it is missing or damaged.
        """
        if (self.run is None) == (self.saved_model is None):
            raise UserError("give either --run DIR or --saved_model DIR")
        if self.run and not exported:
            return open_run(app, self.run)
        return open_export(app, self.saved_model or self.run / "export" / app.NAME)


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """The signatures of a trained model, and its origin."""

    signatures: Signatures
    config: Any
    facts: dict[str, Any]  # run.json
    folder: Path  # has the files that the app's `Data.save` wrote
    owner: Any  # owns the variables; must live as long as the signatures


def open_run(app: App, run: Path) -> TrainedModel:
    """Open the best model of a run folder with the signatures of an export."""
    config = run_folder.read_config(run, app.Config)
    facts = read_json(run / run_folder.RUN)
    import_tensorflow()
    exported, *_ = app.export(config, run)
    return TrainedModel(concrete_functions(exported), config, facts, run, exported.module)


def open_export(app: App, path: Path) -> TrainedModel:
    """Open an export, or the newest one in a folder of versions."""
    import_tensorflow()
    import tensorflow as tf

    from seqkit.export import load_model, resolve

    try:
        version = resolve(path)
    except FileNotFoundError as error:
        raise UserError(f"{error}; to write one: python -m apps.{app.NAME} export --help") from None
    config = run_folder.read_config(version / ASSETS, app.Config)
    facts = read_json(version / ASSETS / run_folder.RUN)
    try:
        loaded = load_model(version)
    except ImportError as error:
        raise UserError(f"{version}: {error}") from None
    except (OSError, IndexError, KeyError, ValueError, tf.errors.OpError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{version}: damaged ({problem}); export again") from None
    return TrainedModel(loaded.signatures, config, facts, version / ASSETS, loaded)


def concrete_functions(exported: Export) -> Signatures:
    """Return the traced functions of an export that is not written yet."""
    return {name: signature.concrete for name, signature in exported.signatures.items()}
