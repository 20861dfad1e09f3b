"""The signatures of a trained model: of the best model of a run folder, or of an export."""

import dataclasses
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from apps.common import run_folder
from apps.common.app import App, Export, Signatures
from apps.common.errors import UserError
from apps.common.hints import command
from apps.common.start_tensorflow import import_tensorflow


@dataclasses.dataclass(frozen=True)
class Source:
    """A run folder or an export, exactly one of the two."""

    run: Annotated[Path | None, arg(metavar="DIR")] = None
    """Folder of a run: its best weights so far for `evaluate`, otherwise its newest export."""
    saved_model: Annotated[Path | None, arg(metavar="DIR")] = None
    """An export, or the folder of its versions; instead of a run."""

    def __str__(self) -> str:
        return f"--run {self.run}" if self.run else f"--saved_model {self.saved_model}"

    def open(self, app: App, exported: bool = False) -> "TrainedModel":
        """Open the export, or the run folder: its best model, or if `exported` its newest export.

        Raises:
            UserError: If not exactly one of the two is given, or it is missing or damaged.
        """
        if (self.run is None) == (self.saved_model is None):
            default = Path("runs") / app.NAME / next(iter(app.PRESETS))
            raise UserError(f"give either --run DIR or --saved_model DIR, e.g. --run {default}")
        if self.saved_model:
            return open_export(app, self.saved_model)
        return open_export_of_run(app, self.run) if exported else open_run(app, self.run)


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """The signatures of a trained model, and its origin."""

    signatures: Signatures
    config: Any
    facts: dict[str, Any]  # run.json
    folder: Path  # has the files that the app's `Data.save` wrote
    owner: Any  # owns the variables; must live as long as the signatures


class ExportedSignatures(dict):
    """The signatures of an export: name -> function."""

    def __missing__(self, name: str) -> None:
        raise UserError(
            f"this export has no signature {name!r}, only {', '.join(self)}; "
            "give the one without _ids in its name"
        )


def open_run(app: App, run: Path) -> TrainedModel:
    """Open the best model of a run folder with the signatures of an export."""
    config, facts = run_folder.read_run(run, app)
    import_tensorflow()
    exported, *_ = app.export(config, run)
    return TrainedModel(concrete_functions(exported), config, facts, run, exported.module)


def open_export_of_run(app: App, run: Path) -> TrainedModel:
    """Open the newest export of a run folder."""
    run_folder.read_run(run, app)
    exports = run / "export" / app.NAME
    if not exports.is_dir():
        export = command(app, ["export", "--run", str(run)])
        raise UserError(f"{run}: not exported yet; first run: {export}")
    return open_export(app, exports)


def open_export(app: App, path: Path) -> TrainedModel:
    """Open an export, or the newest one in a folder of versions."""
    if (path / run_folder.CONFIG).exists():
        raise UserError(f"{path}: a run, not an export; use --run {path}")
    import_tensorflow()
    from seqkit.export import load, resolve

    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            version = resolve(path)
    except FileNotFoundError as error:
        raise UserError(f"{error}; to write one: {command(app, ['export', '--help'])}") from None
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    if not (version / run_folder.ASSETS / run_folder.CONFIG).exists():
        raise UserError(f"{version}: not written by: {command(app, ['export'])}")
    config, facts = run_folder.read_run(version / run_folder.ASSETS, app)
    try:
        loaded = load(version).saved_model
    except (ImportError, ValueError) as error:
        raise UserError(str(error)) from None
    signatures = ExportedSignatures(loaded.signatures)
    return TrainedModel(signatures, config, facts, version / run_folder.ASSETS, loaded)


def concrete_functions(exported: Export) -> Signatures:
    """Return the traced functions of an export that is not written yet."""
    return {name: signature.concrete for name, signature in exported.signatures.items()}
