"""The protocol of an app: a package of plain functions, which `apps.common` calls.

    NAME        the name of its package, of its run folders and of its exports
    Config      a frozen dataclass with a docstring for each field, which become options of
                `train`; at least `seed`, `epochs`, `patience` and `mixed_precision`; `average`,
                if it has one, is the number of the last epochs whose weights are averaged
    PRESETS     name -> Config; the first is the default
    examples    Config -> texts to show `predict` with; none, if such a model doesn't answer it
    PredictOptions  a frozen dataclass like Config: options of `predict`; `needs_text` says whether,
                without any, it waits for the lines of stdin
    load        Config -> what training needs: an object with `batches`, `steps_per_epoch`,
                `monitor`, `mode`, `checksum` and `save`
    build       a compiled keras.Model
    callbacks   Keras callbacks that watch the training
    validation  a function without arguments: scores on the dev data, at the end of each epoch
    evaluate    an Evaluation of what is served: the exported functions, never the bare model
    export      the Exports of a run folder, the one that answers text first
    predict     answers of what is served, line by line
    score       how probable what is served finds given answers; an app need not have it

The package imports its functions only when they are asked for (`apps.tagger.__getattr__`), so
that `--help` doesn't wait for TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from seqkit.export import Signature

# A line of `metrics.jsonl` for each epoch.
History = Sequence[Mapping[str, Any]]
# Scores of a model as it is now.
Validation = Callable[[], dict[str, float]]
# What is served, of a run folder as of an export: name -> function(**tensors) -> dict of tensors.
Signatures = Mapping[str, Callable[..., Mapping[str, Any]]]


class Data(Protocol):
    """What training needs."""

    steps_per_epoch: int
    monitor: str  # the score of `validation` that chooses the best epoch
    mode: Literal["max", "min"]  # whether the best is the highest or the lowest
    checksum: str  # of everything that training depends on

    def batches(self, epoch: int, first_step: int, history: History) -> tf.data.Dataset:
        """Make the batches of an epoch from a step on, a function of seed and arguments alone.

        `history` has a line of scores for each epoch before: a curriculum may go by them.
        """

    def save(self, run: Path) -> None:
        """Write into a run folder what `export` needs besides the weights."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of what is served, next to baselines."""

    metric: str  # how the scores are computed, with the version of the library
    scores: dict[str, float]
    baselines: dict[str, dict[str, float]]
    size: dict[str, int]  # of the evaluated data
    checksum: str  # of the evaluated data
    details: str = ""  # a table for the reader
    figures: dict[str, Any] = field(default_factory=dict)  # those of the details, for `--json`
    picture: Callable[[Path], None] | None = None  # draws it for those who would rather look


@dataclass(frozen=True)
class Export:
    """What `seqkit.export.write` takes, and the facts of the model card."""

    name: str  # on a server
    module: tf.Module
    signatures: dict[str, Signature]
    examples: dict[str, list[dict[str, np.ndarray]]]
    title: str
    data: str
    licence: str
    splits: tuple[str, ...]  # the held-out data there are, for the scores of the card
    notes: str = ""
    operations: str = ""  # package that has some of the graph's, beside TensorFlow
    extra: Mapping[str, str | bytes] = field(default_factory=dict)  # files that belong to it


class App(Protocol):
    """A package that follows the protocol above."""

    NAME: str
    Config: type
    PRESETS: dict[str, Any]
    PredictOptions: type

    def examples(self, config: Any) -> tuple[str, ...]:
        """Give texts to show `predict` with."""

    def load(self, config: Any) -> Data:
        """Read the data."""

    def build(self, config: Any, data: Data) -> keras.Model:
        """Build and compile the model."""

    def callbacks(self, config: Any, run: Path) -> Sequence[keras.callbacks.Callback]:
        """Say what watches the training, step by step."""

    def validation(self, config: Any, model: keras.Model, data: Data) -> Validation:
        """Make, once, what scores the model on the dev data, as it is at each call."""

    def evaluate(
        self, config: Any, signatures: Signatures, folder: Path, split: str, file: Path | None
    ) -> Evaluation:
        """Score what is served on a split, or on a file; `folder` has what `Data.save` wrote."""

    def export(self, config: Any, run: Path) -> list[Export]:
        """Say what is exported of a run folder."""

    def predict(
        self, options: Any, signatures: Signatures, batches: Iterable[list[str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Answer each line by a text and, for `--json`, a record."""

    def score(
        self, signatures: Signatures, texts: tuple[str, ...], file: Path | None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Tell how probable an answer is: two texts, input and answer, or each line of a file."""
