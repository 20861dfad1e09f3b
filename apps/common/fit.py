"""Train a compiled model so that it can be killed at any moment and end with the same numbers.

The loop is around Keras's own `train_function`, which keeps jit, mixed precision and
`tf.distribute`. It is not `model.fit`, which can't begin in the middle of an epoch, and which at
its end overwrites the weights with their moving average.
"""

import contextlib
import dataclasses
import fcntl
import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.common import checkpoint
from apps.common.app import History, Validation
from apps.common.averaging import LastEpochs
from apps.common.errors import UserError
from apps.common.progress import Progress

CHECKPOINT, METRICS, MODEL, TENSORBOARD, AVERAGED = (
    "checkpoint",
    "metrics.jsonl",
    "model.keras",
    "tensorboard",
    "averaged",
)


@dataclasses.dataclass(frozen=True)
class FitResult:
    """How a training ended. Epochs count from 1."""

    best_epoch: int | None  # None: no epoch's score was a number
    best_score: float | None
    epochs: int
    steps: int
    step_seconds: float  # median, waiting for data included
    stopped_early: bool


@dataclasses.dataclass
class State:
    """Where a training stands: with the variables, all that a checkpoint holds."""

    step: int = 0  # done in the current epoch
    seconds: float = 0.0  # spent in the current epoch
    step_seconds: float = 0.0  # median
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)  # metrics.jsonl

    @property
    def epoch(self) -> int:
        return len(self.history) + 1


def fit(
    model: keras.Model,
    batches: Callable[[int, int, History], tf.data.Dataset],
    steps_per_epoch: int,
    validate: Validation,
    run: Path,
    *,
    epochs: int,
    monitor: str,
    mode: str = "max",
    patience: int | None = None,
    average: int = 1,
    checkpoint_every: int = 200,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    tensorboard: bool = True,
    verbose: int = 1,
) -> FitResult:
    """Train a model, or go on where its run folder says the training stands.

    The folder gets `checkpoint`, `metrics.jsonl` (a line per epoch), `model.keras` (the best epoch,
    with averaged weights if the optimizer keeps them) and `tensorboard/`. A training that was
    stopped or killed goes on to the same weights, metrics and stopping epoch as an unbroken one, if
    every random number comes from `batches` or from a `SeedGenerator` of the model's layers. What
    is left in `model` are the weights of some step: the result is `model.keras`.

    Args:
        model: compiled, on the TensorFlow backend, one step per execution.
        batches: (epoch, first step, history) -> the batches of that epoch from that step on, the
            same each time. Epochs count from 1, steps from 0; history has the lines of
            `metrics.jsonl` of the epochs before.
        steps_per_epoch: batches of an epoch.
        validate: scores the model after each epoch, with the weights that `model.keras` would get.
        run: an existing folder.
        epochs: at most.
        monitor: the score of `validate` that tells the best epoch.
        mode: "max" or "min".
        patience: stop after so many epochs without a better score; None: never.
        average: epochs; scored and kept is the mean of the weights after so many of the last.
        checkpoint_every: steps.
        callbacks: watch the training; told of its begin and end, and of each step. One that sets
            `model.stop_training` ends it with an error.
        tensorboard: write `tensorboard/`.
        verbose: 0 prints nothing.

    Returns:
        How it ended; at once, if it had ended before.

    Raises:
        UserError: the checkpoint is damaged or another model's; loss or weights are no numbers, or
            a callback stopped the training;
            another process trains in the folder. The files stay as they are.
        KeyboardInterrupt: Ctrl-C, after the current step and a checkpoint.
        SystemExit: SIGTERM, likewise; its code is 143.
    """
    if mode not in ("max", "min"):
        raise ValueError(f"mode must be 'max' or 'min', not {mode!r}")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1, not {patience}")
    if average < 1:
        raise ValueError(f"average must be at least 1, not {average}")
    if model.steps_per_execution != 1:
        raise ValueError("compile the model with steps_per_execution=1")
    model.make_train_function()
    progress = Progress(epochs, steps_per_epoch, verbose)

    with _alone(run), _interruption() as signals, contextlib.ExitStack() as at_end:
        values, state = _load(run)

        def finished() -> FitResult | None:
            best = _best(state.history, monitor, mode)
            if best:
                score = best[f"val_{monitor}"]
                progress.best = f"best {monitor} {score:.4f} (epoch {best['epoch']})"
            done = len(state.history)
            early = patience is not None and done - (best["epoch"] if best else 0) >= patience
            if done < epochs and not early:
                return None
            return FitResult(
                best_epoch=best and best["epoch"],
                best_score=best and best[f"val_{monitor}"],
                epochs=done,
                steps=done * steps_per_epoch,
                step_seconds=state.step_seconds,
                stopped_early=done < epochs,
            )

        def save() -> None:
            state.step_seconds = progress.step_seconds or state.step_seconds
            checkpoint.save(run / CHECKPOINT, model, dataclasses.asdict(state))

        def stop_if_asked() -> None:
            if signals:
                progress.line(
                    f"stopped at epoch {state.epoch}, step {state.step}; checkpoint written: "
                    "run the same command again to go on"
                )
                raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(143)

        if result := finished():
            progress.line(f"{run}: training had ended after epoch {result.epochs}, {progress.best}")
            return result
        if values is not None:
            # Optimizer and metrics make their variables in the first step, here a throwaway one.
            model.train_function(_iterate(model, batches(1, 0, [])))
            checkpoint.restore(run / CHECKPOINT, model, values)
            progress.line(f"{run}: going on at epoch {state.epoch}, step {state.step}")
        for callback in callbacks:
            callback.set_model(model)
            callback.on_train_begin()
            at_end.callback(callback.on_train_end)
        writer = tf.summary.create_file_writer(str(run / TENSORBOARD)) if tensorboard else None

        while not (result := finished()):
            for loss, seconds in _train_epoch(model, batches, steps_per_epoch, state):
                for callback in callbacks:
                    callback.on_train_batch_end(state.step - 1, {"loss": loss})
                    if model.stop_training:
                        raise _no_number(run, f"{type(callback).__name__} has stopped", state)
                if not math.isfinite(loss):
                    raise _no_number(run, f"the loss is {loss}", state)
                progress.step(state.epoch, state.step, loss, seconds)
                if state.step % checkpoint_every == 0 or signals:
                    _check_weights(model, run, state)
                    save()
                    stop_if_asked()
            _check_weights(model, run, state)

            line = _line(model, state, steps_per_epoch)
            began = time.perf_counter()
            with _kept_weights(model, run, state.epoch, average):
                line |= {f"val_{name}": float(score) for name, score in validate().items()}
                line["seconds"] = round(state.seconds + time.perf_counter() - began, 3)
                state.history.append(line)
                if is_best := _best(state.history, monitor, mode) is line:
                    with checkpoint.replacing(run / MODEL) as beside:
                        model.save(beside)
            # Model and metrics before the checkpoint: killed in between, the epoch's end is
            # repeated and gives the same ones.
            _write_metrics(run, state.history)
            state.step, state.seconds = 0, 0.0
            save()
            progress.line(_text(line, epochs, is_best))
            if writer:
                _write_scalars(writer, line)
            stop_if_asked()
        return result


def _train_epoch(
    model: keras.Model,
    batches: Callable[[int, int, History], tf.data.Dataset],
    steps_per_epoch: int,
    state: State,
) -> Iterator[tuple[float, float]]:
    """Do what is left of an epoch; yield the running loss and the seconds of each step."""
    if state.step == 0:
        model.reset_metrics()
    if state.step == steps_per_epoch:  # killed between the last step and the end of the epoch
        return
    iterator = _iterate(model, batches(state.epoch, state.step, state.history))
    while state.step < steps_per_epoch:
        began = time.perf_counter()
        try:
            loss = float(model.train_function(iterator)["loss"])
        except (StopIteration, tf.errors.OutOfRangeError):
            raise ValueError(
                f"batches({state.epoch}, ...) ended at step {state.step} of {steps_per_epoch}"
            ) from None
        seconds = time.perf_counter() - began
        state.step += 1
        state.seconds += seconds
        yield loss, seconds


def _iterate(model: keras.Model, dataset: tf.data.Dataset) -> Iterator:
    # The thread that tunes a pipeline may sleep for half a minute, and freeing the iterator at the
    # end of an epoch waits for it.
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.with_options(options)
    return iter(model.distribute_strategy.experimental_distribute_dataset(dataset))


def _line(model: keras.Model, state: State, steps_per_epoch: int) -> dict[str, Any]:
    """An epoch's line of `metrics.jsonl`, as far as training knows it."""
    return {
        "epoch": state.epoch,
        "step": state.epoch * steps_per_epoch,
        "learning_rate": float(model.optimizer.learning_rate),
        **{name: float(value) for name, value in model.get_metrics_result().items()},
    }


def _check_weights(model: keras.Model, run: Path, state: State) -> None:
    """Refuse what no checkpoint should hold: the loss shows it only a step later."""
    if not all(np.isfinite(v).all() for v in model.trainable_variables):
        raise _no_number(run, "a weight is no finite number", state)


@contextlib.contextmanager
def _kept_weights(model: keras.Model, run: Path, epoch: int, average: int) -> Iterator[None]:
    """Put averaged weights into the model, if there are any, and take them out again."""
    trained = [np.array(v) for v in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the moving average
    if average > 1:
        kept = [np.array(v) for v in model.trainable_variables]
        mean = LastEpochs(run / AVERAGED, average).mean(epoch, kept)
        for variable, value in zip(model.trainable_variables, mean, strict=True):
            variable.assign(value)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, trained, strict=True):
            variable.assign(value)


def _best(history: list[dict[str, Any]], monitor: str, mode: str) -> dict[str, Any] | None:
    """The first line with the best score."""
    key, sign = f"val_{monitor}", 1 if mode == "max" else -1
    if history and key not in history[-1]:
        raise ValueError(f"validate gives no {monitor!r} to monitor, but {sorted(history[-1])}")
    scored = [line for line in history if not math.isnan(line[key])]
    return max(scored, key=lambda line: sign * line[key], default=None)


def _load(run: Path) -> tuple[list[np.ndarray] | None, State]:
    """Read the checkpoint, and bring `metrics.jsonl` back to its moment."""
    path = run / CHECKPOINT
    if not path.exists():
        return None, State()
    values, saved = checkpoint.load(path)
    try:
        state = State(**saved)
    except TypeError:
        raise UserError(f"{path}: no checkpoint of a training; choose another run folder") from None
    _write_metrics(run, state.history)
    return values, state


def _write_metrics(run: Path, history: list[dict[str, Any]]) -> None:
    with checkpoint.replacing(run / METRICS) as beside:
        beside.write_text("".join(json.dumps(line) + "\n" for line in history))


def _write_scalars(writer: tf.summary.SummaryWriter, line: dict[str, Any]) -> None:
    with writer.as_default(step=line["step"]):
        for name in line.keys() - {"epoch", "step"}:
            tf.summary.scalar(name, line[name])
    writer.flush()


def _text(line: dict[str, Any], epochs: int, is_best: bool) -> str:
    numbers = [f"{k} {v:.4g}" for k, v in line.items() if k not in ("epoch", "step", "seconds")]
    parts = [f"epoch {line['epoch']}/{epochs}", *numbers, f"{line['seconds']:.1f} s"]
    return "  ".join([*parts, "best so far"] if is_best else parts)


def _no_number(run: Path, what: str, state: State) -> UserError:
    return UserError(
        f"{run}: {what} at epoch {state.epoch}, step {state.step}; the last checkpoint is kept. "
        "A lower learning rate or gradient clipping may help, in another run folder"
    )


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Hold the run folder; the kernel lets go of it if the process is killed."""
    with (run / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{run}: another process is training in it") from None
        yield


@contextlib.contextmanager
def _interruption() -> Iterator[list[int]]:
    """Yield a list that gets the number of the first SIGINT or SIGTERM; a second one stops."""
    received = []

    def note(number: int, frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        # Not print: the signal may have interrupted one.
        os.write(2, b"\nfinishing the step, then a checkpoint; again stops without\n")

    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
