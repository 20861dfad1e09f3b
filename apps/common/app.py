"""The protocol of an app: a package of plain functions, which `apps.common` calls.

    NAME        name of the package, of its run folders and of its exports
    Config      frozen subclass of `apps.common.config.TrainConfig` or `UserDataConfig`; its fields
                become options of `train`. `average`, if it has one, is the number of last epochs
                whose weights are averaged
    PRESETS     name -> Config; the first is the default
    examples    Config -> texts to try `predict` with; none if such a model has no `predict`
    load(config) -> Data
                reads the training data
    build(config, data) -> keras.Model
                builds and compiles the model
    validation(config, model, data) -> Validation
                returns a function that scores the model on dev after each epoch
    evaluate(config, signatures, folder, split, file) -> Evaluation
                scores the functions of an export (never the bare model) on a split, `dev` or
                `test`, or on the user's file; `folder` has what `Data.save` wrote
    export(config, run) -> list[Export]
                describes the exports of a run folder, the one that answers text first; raises a
                UserError if there is no model yet, or the folder is damaged
    predict(options, signatures, batches) -> Iterator[Answer]
                answers batches of lines with the functions of an export

An app may also have

    PredictOptions  options of `predict`: a frozen subclass of `apps.common.config.PredictOptions`
    callbacks(config, run) -> list[keras.callbacks.Callback]
                Keras callbacks for training
    score(signatures, texts, file) -> Iterator[Answer]
                computes the probability of given answers, for the command `score`
    compare(results) -> matplotlib.figure.Figure
                draws several evaluations, name -> result of `evaluate --json`: the command
                `compare`; each evaluation then has a `picture` as well

`__getattr__ = LazyFunctions(__name__)` in the package's `__init__.py` imports the functions on
first use, so that `--help` doesn't wait for TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf
    from matplotlib.figure import Figure

    from seqkit.export import Signature

# The lines of `metrics.jsonl`, one per epoch.
History = Sequence[Mapping[str, Any]]
# Scores the model in its current state.
Validation = Callable[[], dict[str, float]]
# The functions of a run folder or an export: name -> function(**tensors) -> dict of tensors.
Signatures = Mapping[str, Callable[..., Mapping[str, Any]]]
# A line to print, and a record for `--json`.
Answer = tuple[str, dict[str, Any]]
# A package that follows the protocol above.
App = ModuleType


class Data(Protocol):
    """Training data."""

    steps_per_epoch: int
    monitor: str  # the score of `validation` that determines the best epoch
    mode: Literal["max", "min"]  # whether the best score is the highest or the lowest
    checksum: str  # of everything that training depends on

    def batches(self, epoch: int, first_step: int, history: History) -> tf.data.Dataset:
        """Return the batches of an epoch from a step on; they depend only on seed and arguments.

        `history` has a line of scores for each completed epoch, which a curriculum may use.
        """

    def describe(self) -> str:
        """Return what was read, as `train` prints it: a line for each split, from `facts`."""

    def save(self, run: Path) -> None:
        """Save to a run folder everything `export` needs in addition to the weights."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model's signatures, next to baselines."""

    metric: str  # how the scores are computed, with the version of the library
    scores: dict[str, float]
    baselines: dict[str, dict[str, float]]
    size: dict[str, int]  # of the evaluated data
    checksum: str  # of the evaluated data
    details: str = ""  # tables to print
    figures: dict[str, Any] = field(default_factory=dict)  # the same numbers, for `--json`
    picture: Callable[[], Figure] | None = None  # draws the scores


@dataclass(frozen=True)
class Export:
    """Arguments of `seqkit.export.write`, and the facts of the model card."""

    name: str  # model name on a server
    module: tf.Module
    signatures: dict[str, Signature]
    examples: dict[str, list[dict[str, np.ndarray]]]
    title: str
    data: str
    licence: str
    splits: tuple[str, ...]  # held-out splits whose scores the card reports
    notes: str = ""
    operations: str = ""  # package of the graph's operations that are not part of TensorFlow
    extra: Mapping[str, str | bytes] = field(default_factory=dict)  # further files
