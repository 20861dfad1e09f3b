"""Train a compiled model; a run that is killed at any moment resumes to the same results.

The loop calls Keras's own `train_function`, which supports jit, mixed precision and
`tf.distribute`. It replaces `model.fit`, which can't start in the middle of an epoch and overwrites
the weights with their moving average at the end.
"""

import contextlib
import dataclasses
import functools
import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from filelock import FileLock, Timeout

from apps.common import files
from apps.common.app import History, Validation
from apps.common.errors import UserError
from apps.common.training import checkpoint
from apps.common.training.averaging import LastEpochs
from apps.common.training.progress import Progress

CHECKPOINT, METRICS, MODEL = "checkpoint", "metrics.jsonl", "model.keras"
TENSORBOARD, AVERAGED = "tensorboard", "averaged"


class Stopping(NamedTuple):
    """Rules for the end of training and for the best epoch."""

    epochs: int  # at most
    monitor: str  # score of `validate` that determines the best epoch
    mode: Literal["max", "min"] = "max"
    patience: int | None = None  # stop after this many epochs without a better score; None: never

    def check(self) -> None:
        """Raise ValueError if mode or patience is out of range."""
        if self.mode not in ("max", "min"):
            raise ValueError(f"mode must be 'max' or 'min', not {self.mode!r}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1, not {self.patience}")

    def best(self, history: History) -> dict[str, Any] | None:
        """Return the first line with the best score; None if all scores are NaN."""
        key, sign = f"val_{self.monitor}", 1 if self.mode == "max" else -1
        if history and key not in history[-1]:
            raise ValueError(
                f"validate returns no {self.monitor!r} to monitor, only {sorted(history[-1])}"
            )
        scored = [line for line in history if not math.isnan(line[key])]
        return max(scored, key=lambda line: sign * line[key], default=None)


@dataclasses.dataclass(frozen=True)
class FitResult:
    """Outcome of a training run; epochs count from 1."""

    best_epoch: int | None  # None: all scores were NaN
    best_score: float | None
    epochs: int
    steps: int
    step_seconds: float  # median, including the wait for data
    stopped_early: bool


@dataclasses.dataclass
class State:
    """Position in a training run, which a checkpoint holds together with the variables."""

    step: int = 0  # steps done in the current epoch
    seconds: float = 0.0  # spent in the current epoch
    step_seconds: float = 0.0  # median
    learning_rate: float = 0.0  # of the last step of the epoch
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)  # metrics.jsonl

    @property
    def epoch(self) -> int:
        return len(self.history) + 1


@dataclasses.dataclass
class Training:
    """Training run that resumes from its run folder.

    The folder gets `checkpoint`, `metrics.jsonl` (one line per epoch), `model.keras` (the best
    epoch, with averaged weights if the optimizer keeps them) and `tensorboard/`. A run that was
    stopped or killed resumes and ends with the same weights, metrics and stopping epoch as an
    uninterrupted one, provided that every random number comes from `batches` or from a
    `SeedGenerator` of the model's layers. `model` itself ends with the weights of some step: the
    result is `model.keras`.

    Args:
        model: Compiled model on the TensorFlow backend, with one step per execution.
        batches: `batches(epoch, first_step, history)` returns the batches of an epoch from a step
            on, the same at each call. Epochs count from 1, steps from 0; history has the lines of
            `metrics.jsonl` of previous epochs.
        steps_per_epoch: Batches per epoch.
        validate: Function that scores the model after each epoch, with the weights that
            `model.keras` would hold.
        run: An existing folder.
        stopping: Rules for the end of training and for the best epoch.
        average: Score and keep the mean of the weights after this many last epochs.
        checkpoint_every: Steps between checkpoints.
        callbacks: Keras callbacks, called at the beginning and end of training and after each step.
            A callback that sets `model.stop_training` ends training with an error.
        tensorboard: Whether to write `tensorboard/`.
        verbose: 0 prints nothing.

    Raises:
        ValueError: If an argument is out of range.
    """

    model: keras.Model
    batches: Callable[[int, int, History], tf.data.Dataset]
    steps_per_epoch: int
    validate: Validation
    run: Path
    stopping: Stopping
    average: int = 1
    checkpoint_every: int = 200
    callbacks: Sequence[keras.callbacks.Callback] = ()
    tensorboard: bool = True
    verbose: int = 1

    def __post_init__(self) -> None:
        self.stopping.check()
        if self.average < 1:
            raise ValueError(f"average must be at least 1, not {self.average}")
        if self.model.steps_per_execution != 1:
            raise ValueError("compile the model with steps_per_execution=1")
        self.model.make_train_function()
        self.state = State()
        self.progress = Progress(self.stopping.epochs, self.steps_per_epoch, self.verbose)

    def fit(self) -> FitResult:
        """Train to the end; return immediately if training has already ended.

        Raises:
            UserError: If the checkpoint is damaged or belongs to another model, the loss or a
                weight is not finite, a callback stops training, or another process is training in
                the folder. The files are left unchanged.
            KeyboardInterrupt: On Ctrl-C, after the current step and a checkpoint.
            SystemExit: On SIGTERM, after the current step and a checkpoint; its code is 143.
        """
        with _locked(self.run), _interruption() as signals, contextlib.ExitStack() as at_end:
            values = self.load()
            if result := self.finished():
                self.progress.line(
                    f"{self.run}: already trained for {result.epochs} epochs, {self.progress.best}"
                )
                return result
            if values is not None:
                self.resume(values)
            for callback in self.callbacks:
                callback.set_model(self.model)
                callback.on_train_begin()
                at_end.callback(callback.on_train_end)
            while not (result := self.finished()):
                for _ in self.epoch():
                    if self.state.step % self.checkpoint_every == 0 or signals:
                        self.save()
                        self.stop_if_interrupted(signals)
                self.end_of_epoch()
                self.stop_if_interrupted(signals)
            return result

    def load(self) -> list[np.ndarray] | None:
        """Read the checkpoint, if there is one, and roll `metrics.jsonl` back to match it."""
        path = self.run / CHECKPOINT
        if not path.exists():
            return None
        values, saved = checkpoint.load(path)
        try:
            self.state = State(**saved)
        except TypeError:
            raise UserError(
                f"{path}: not a checkpoint of a training run; choose another run folder"
            ) from None
        self._write_metrics()
        return values

    def resume(self, values: list[np.ndarray]) -> None:
        """Restore the model's variables from the checkpoint."""
        # Optimizer and metrics create their variables in the first step, here a throwaway one.
        self.model.train_function(_iterate(self.model, self.batches(1, 0, [])))
        checkpoint.restore(self.run / CHECKPOINT, self.model, values)
        self.progress.line(
            f"{self.run}: resuming at epoch {self.state.epoch}, step {self.state.step}"
        )

    def finished(self) -> FitResult | None:
        """Return the result if the training has ended."""
        best, done = self.stopping.best(self.state.history), len(self.state.history)
        score = best and best[f"val_{self.stopping.monitor}"]
        if best:
            self.progress.best = f"best {self.stopping.monitor} {score:.4f} (epoch {best['epoch']})"
        stale = done - (best["epoch"] if best else 0)
        early = self.stopping.patience is not None and stale >= self.stopping.patience
        if done < self.stopping.epochs and not early:
            return None
        return FitResult(
            best_epoch=best and best["epoch"],
            best_score=score,
            epochs=done,
            steps=done * self.steps_per_epoch,
            step_seconds=self.state.step_seconds,
            stopped_early=done < self.stopping.epochs,
        )

    def epoch(self) -> Iterator[None]:
        """Train for the rest of an epoch, and yield after each step."""
        state = self.state
        if state.step == 0:
            self.model.reset_metrics()
        if state.step == self.steps_per_epoch:  # killed before the end of the epoch was written
            return
        iterator = _iterate(self.model, self.batches(state.epoch, state.step, state.history))
        while state.step < self.steps_per_epoch:
            began = time.perf_counter()
            if state.step == self.steps_per_epoch - 1:  # after the step it may be 0
                state.learning_rate = float(self.model.optimizer.learning_rate)
            try:
                loss = float(self.model.train_function(iterator)["loss"])
            except (StopIteration, tf.errors.OutOfRangeError):
                raise ValueError(
                    f"batches({state.epoch}, ...) ended at step {state.step} of "
                    f"{self.steps_per_epoch}"
                ) from None
            seconds = time.perf_counter() - began
            state.step += 1
            state.seconds += seconds
            self._check_step(loss)
            self.progress.step(state.epoch, state.step, loss, seconds)
            yield

    def end_of_epoch(self) -> None:
        """Score the epoch, keep the model if it is the best so far, and write a checkpoint."""
        self._check_weights()
        state = self.state
        line = {
            "epoch": state.epoch,
            "step": state.epoch * self.steps_per_epoch,
            "learning_rate": state.learning_rate,
            **{name: float(value) for name, value in self.model.get_metrics_result().items()},
        }
        began = time.perf_counter()
        with self._averaged_weights():
            line |= {f"val_{name}": float(score) for name, score in self.validate().items()}
            line["seconds"] = round(state.seconds + time.perf_counter() - began, 3)
            state.history.append(line)
            if is_best := self.stopping.best(state.history) is line:
                with files.atomic_write(self.run / MODEL) as temporary:
                    self.model.save(temporary)
        # Model and metrics are written before the checkpoint: if the process is killed in between,
        # the end of the epoch is repeated with the same results.
        self._write_metrics()
        state.step, state.seconds = 0, 0.0
        self.save()
        self.progress.line(_text(line, self.stopping.epochs, is_best))
        if self.tensorboard:
            with self._writer.as_default(step=line["step"]):
                for name in line.keys() - {"epoch", "step"}:
                    tf.summary.scalar(name, line[name])
            self._writer.flush()

    def save(self) -> None:
        """Write a checkpoint."""
        self._check_weights()
        self.state.step_seconds = self.progress.step_seconds or self.state.step_seconds
        checkpoint.save(self.run / CHECKPOINT, self.model, dataclasses.asdict(self.state))

    def stop_if_interrupted(self, signals: list[int]) -> None:
        """Raise KeyboardInterrupt or SystemExit if a signal was received."""
        if signals:
            self.progress.line(
                f"stopped at epoch {self.state.epoch}, step {self.state.step}; checkpoint "
                "written: run the same command again to resume"
            )
            raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(143)

    def _check_step(self, loss: float) -> None:
        for callback in self.callbacks:
            callback.on_train_batch_end(self.state.step - 1, {"loss": loss})
            if self.model.stop_training:
                raise self._diverged(f"{type(callback).__name__} stopped the training")
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss}")

    def _check_weights(self) -> None:
        """Reject non-finite weights before a checkpoint: the loss reveals them a step later."""
        if not all(np.isfinite(v).all() for v in self.model.trainable_variables):
            raise self._diverged("a weight is not finite")

    def _diverged(self, reason: str) -> UserError:
        return UserError(
            f"{self.run}: {reason} at epoch {self.state.epoch}, step {self.state.step}; the last "
            "checkpoint is kept. Try a lower learning rate or gradient clipping in a new run folder"
        )

    @contextlib.contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Use averaged weights, if there are any, within the block; restore the others after it."""
        variables, optimizer = self.model.trainable_variables, self.model.optimizer
        trained = [np.array(v) for v in variables]
        optimizer.finalize_variable_values(variables)  # the moving average
        if self.average > 1:
            last = LastEpochs(self.run / AVERAGED, self.average)
            mean = last.mean(self.state.epoch, [np.array(v) for v in variables])
            for variable, value in zip(variables, mean, strict=True):
                variable.assign(value)
        try:
            yield
        finally:
            for variable, value in zip(variables, trained, strict=True):
                variable.assign(value)

    @functools.cached_property
    def _writer(self) -> tf.summary.SummaryWriter:
        return tf.summary.create_file_writer(str(self.run / TENSORBOARD))

    def _write_metrics(self) -> None:
        lines = "".join(json.dumps(line) + "\n" for line in self.state.history)
        files.write_text(self.run / METRICS, lines)


def _iterate(model: keras.Model, dataset: tf.data.Dataset) -> Iterator:
    # Without autotuning: its thread may sleep for half a minute, and freeing the iterator at the
    # end of an epoch waits for it.
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.with_options(options)
    return iter(model.distribute_strategy.experimental_distribute_dataset(dataset))


def _text(line: dict[str, Any], epochs: int, is_best: bool) -> str:
    numbers = [f"{k} {v:.4g}" for k, v in line.items() if k not in ("epoch", "step", "seconds")]
    parts = [f"epoch {line['epoch']}/{epochs}", *numbers, f"{line['seconds']:.1f} s"]
    return "  ".join([*parts, "best so far"] if is_best else parts)


@contextlib.contextmanager
def _locked(run: Path) -> Iterator[None]:
    """Lock the run folder; the system releases the lock if the process dies."""
    try:
        lock = FileLock(run / ".lock").acquire(blocking=False)
    except Timeout:
        raise UserError(f"{run}: another process is training in this folder") from None
    with lock:
        yield


@contextlib.contextmanager
def _interruption() -> Iterator[list[int]]:
    """Yield a list that receives the number of the first SIGINT or SIGTERM; a second one aborts."""
    received = []

    def note(number: int, frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        # Not print: the signal may have interrupted another print.
        os.write(2, b"\nfinishing the step and writing a checkpoint; press Ctrl-C again to stop ")
        os.write(2, b"without one\n")

    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
