"""Training, stopping and resuming, in one process with a tiny model."""

import json
import os
import signal
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.common import files
from apps.common.errors import UserError
from apps.common.training import checkpoint, progress
from apps.common.training.fit import Stopping, Training

STEPS = 5


def build(seed=1, jit=None, **optimizer):
    """Build a model, eager unless `jit` is given: tracing costs more here than it saves."""
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(4, "tanh"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    optimizer = keras.optimizers.AdamW(0.05, **{"use_ema": True, "ema_momentum": 0.8, **optimizer})
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=bool(jit), run_eagerly=jit is None)
    return model


def batches(epoch, first_step, history):
    generator = np.random.default_rng(epoch)
    x = generator.normal(size=(STEPS, 2, 3)).astype("float32")
    y = x.sum(-1, keepdims=True)
    return tf.data.Dataset.from_tensor_slices((x, y)).skip(first_step)


def validate(model):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    return {"score": -float(np.mean((model(x) - x.sum(-1, keepdims=True)) ** 2))}


def train(run, model=None, **changes):
    run.mkdir(exist_ok=True)
    settings = {"epochs": 3, "monitor": "score", "checkpoint_every": 2, "verbose": 0} | changes
    model, scores_of = model or build(), settings.pop("validate", validate)
    stopping = Stopping(**{k: settings.pop(k) for k in Stopping._fields if k in settings})
    return Training(
        model,
        settings.pop("batches", batches),
        STEPS,
        lambda: scores_of(model),
        run,
        stopping,
        **{"tensorboard": False, **settings},
    ).fit()


def lines(run):
    read = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read]


def final(run):
    """Return everything that must be the same, however the run was interrupted."""
    arrays, saved = checkpoint.load(run / "checkpoint")
    best = keras.models.load_model(run / "model.keras", compile=False).get_weights()
    return [a.tobytes() for a in arrays], saved["step"], lines(run), [b.tobytes() for b in best]


class Interrupted(Exception):
    pass


def interrupt_at(monkeypatch, step):
    """Raise `Interrupted` after the given step, counted over all epochs."""
    show, count = progress.Progress.step, iter(range(1, 10**6))

    def step_or_interrupt(*args):
        show(*args)
        if next(count) == step:
            raise Interrupted

    monkeypatch.setattr(progress.Progress, "step", step_or_interrupt)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    run = tmp_path_factory.mktemp("uninterrupted")
    return run, train(run)


def test_an_uninterrupted_run(uninterrupted):
    run, result = uninterrupted
    assert (result.epochs, result.steps, result.stopped_early) == (3, 15, False)
    assert result.step_seconds > 0
    written = lines(run)
    assert [(line["epoch"], line["step"]) for line in written] == [(1, 5), (2, 10), (3, 15)]
    assert set(written[0]) == {"epoch", "step", "loss", "mae", "val_score", "learning_rate"}
    assert written[0]["learning_rate"] == pytest.approx(0.05)
    best = max(written, key=lambda line: line["val_score"])
    assert (result.best_epoch, result.best_score) == (best["epoch"], best["val_score"])
    assert {p.name for p in run.iterdir()} == {
        ".lock",
        "checkpoint",
        "metrics.jsonl",
        "model.keras",
    }


def test_the_learning_rate_of_an_epoch_is_that_of_its_last_step(tmp_path):
    model, rate = build(), keras.optimizers.schedules.CosineDecay(0.1, 3 * STEPS)
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    train(tmp_path, model=model)
    wanted = [float(rate(step)) for step in (4, 9, 14)]
    assert [line["learning_rate"] for line in lines(tmp_path)] == pytest.approx(wanted)


def test_model_keras_holds_the_averaged_weights_of_the_best_epoch(uninterrupted):
    run, result = uninterrupted
    kept = keras.models.load_model(run / "model.keras", compile=False)
    assert validate(kept)["score"] == pytest.approx(result.best_score, rel=1e-6)
    raw = build()
    checkpoint.restore(run / "checkpoint", _with_variables(raw), _values(run))
    assert abs(validate(raw)["score"] - result.best_score) > 1e-6


def test_the_mean_of_the_last_epochs_is_kept_even_after_an_interruption(tmp_path, monkeypatch):
    scored = []

    def noted(model):
        scored.append([np.array(v) for v in model.trainable_variables])
        return {"score": float(model.optimizer.iterations)}

    def trained(run, **changes):
        scored.clear()
        train(run, build(use_ema=False), validate=noted, **changes)
        return [weights[0].copy() for weights in scored]

    alone = trained(tmp_path / "alone", average=1)
    averaged = trained(tmp_path / "averaged", average=2)
    # Averaging doesn't change training. After two epochs, the mean covers one: half of them.
    np.testing.assert_array_equal(averaged[:2], alone[:2])
    np.testing.assert_allclose(averaged[2], (alone[1] + alone[2]) / 2)

    with monkeypatch.context() as patch:
        interrupt_at(patch, 2 * STEPS + 3)
        with pytest.raises(Interrupted):
            trained(tmp_path / "interrupted", average=2)
    trained(tmp_path / "interrupted", average=2)
    assert final(tmp_path / "interrupted")[3] == final(tmp_path / "averaged")[3]


def _values(run):
    return checkpoint.load(run / "checkpoint")[0]


def _with_variables(model):
    model.train_on_batch(np.zeros((2, 3)), np.zeros((2, 1)))
    return model


@pytest.mark.parametrize("step", [1, 3, 4, 5, 6, 12])
def test_an_interrupted_run_resumes_to_the_same_result(tmp_path, monkeypatch, uninterrupted, step):
    with monkeypatch.context() as patch:
        interrupt_at(patch, step)
        with pytest.raises(Interrupted):
            train(tmp_path)
    seed = (
        1 if step < 2 else 99
    )  # before the first checkpoint all depends on the seed, afterwards nothing does
    result = train(tmp_path, build(seed))
    assert final(tmp_path) == final(uninterrupted[0])
    assert (result.best_epoch, result.best_score) == (
        uninterrupted[1].best_epoch,
        uninterrupted[1].best_score,
    )


@pytest.mark.parametrize("file", ["model.keras", "metrics.jsonl", "checkpoint"])
def test_a_run_interrupted_between_the_writes_at_the_end_of_an_epoch(
    tmp_path, monkeypatch, uninterrupted, file
):
    atomic_write = files.atomic_write
    ends = {
        "metrics.jsonl": 2,
        "model.keras": 1,
        "checkpoint": 6,
    }  # in the second epoch, or the first
    count = iter(range(1, 100))

    def write_or_interrupt(path):
        if path.name == file and next(count) == ends[file]:
            raise Interrupted
        return atomic_write(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "atomic_write", write_or_interrupt)
        with pytest.raises(Interrupted):
            train(tmp_path)
    train(tmp_path, build(99))
    assert final(tmp_path) == final(uninterrupted[0])


def test_all_randomness_is_in_the_checkpoint(tmp_path, monkeypatch, uninterrupted):
    """Without dropout's seed the result differs; otherwise the test above would prove nothing."""
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        with pytest.raises(Interrupted):
            train(tmp_path)
    other = build(99)
    restore = checkpoint.restore

    def forget_the_seeds(path, model, values):
        kept = [(v, np.array(v)) for v in model.variables if "seed" in v.path]
        assert kept
        restore(path, model, values)
        for variable, value in kept:
            variable.assign(value)

    monkeypatch.setattr(checkpoint, "restore", forget_the_seeds)
    train(tmp_path, other)
    assert lines(tmp_path) != lines(uninterrupted[0])


def test_early_stopping_continues_counting_after_an_interruption(tmp_path, monkeypatch):
    scores = {1: 0.1, 2: 0.5, 3: 0.5, 4: float("nan"), 5: 0.4, 6: 0.9}
    epoch = [0]

    def scripted(model):
        epoch[0] += 1
        return {"score": scores[epoch[0]]}

    settings = {"epochs": 6, "patience": 3, "validate": scripted}
    with monkeypatch.context() as patch:
        interrupt_at(patch, 18)  # in epoch 4
        with pytest.raises(Interrupted):
            train(tmp_path, **settings)
    result = train(tmp_path, **settings)
    assert (result.best_epoch, result.best_score) == (2, 0.5)
    assert (result.epochs, result.stopped_early) == (5, True)


def test_mode_min(tmp_path):
    scores = iter([3.0, 1.0, 2.0])
    result = train(tmp_path, validate=lambda model: {"score": next(scores)}, mode="min")
    assert (result.best_epoch, result.best_score) == (2, 1.0)


def test_a_finished_run_is_reported_and_left_unchanged(
    tmp_path, uninterrupted, capsys, monkeypatch
):
    run, result = uninterrupted
    before = {p.name: p.stat().st_mtime_ns for p in run.iterdir() if p.name != "metrics.jsonl"}
    monkeypatch.setattr(checkpoint, "save", None)
    assert train(run, batches=None, validate=None, verbose=1) == result
    assert "already trained for 3 epochs" in capsys.readouterr().out
    assert {p.name: p.stat().st_mtime_ns for p in run.iterdir() if p.name in before} == before


def test_metrics_past_the_checkpoint_are_cut(tmp_path, monkeypatch, uninterrupted):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 7)
        with pytest.raises(Interrupted):
            train(tmp_path)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2}\n{"epo')
    train(tmp_path)
    assert lines(tmp_path) == lines(uninterrupted[0])


@pytest.mark.parametrize(
    ("number", "exception"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_finishes_the_step_and_writes_a_checkpoint(
    tmp_path, monkeypatch, uninterrupted, capsys, number, exception
):
    show = progress.Progress.step

    def interrupt(self, epoch, step, *args):
        show(self, epoch, step, *args)
        if (epoch, step) == (2, 3):
            os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(progress.Progress, "step", interrupt)
        with pytest.raises(exception) as caught:
            train(tmp_path, verbose=1)
    if exception is SystemExit:
        assert caught.value.code == 143
    assert signal.getsignal(number) is handler
    assert "stopped at epoch 2, step 3; checkpoint written: run the same" in capsys.readouterr().out
    assert checkpoint.load(tmp_path / "checkpoint")[1]["step"] == 3
    train(tmp_path, build(99))
    assert final(tmp_path) == final(uninterrupted[0])


def test_it_trains_outside_the_main_thread(tmp_path, uninterrupted):
    thread = threading.Thread(target=train, args=(tmp_path,))
    thread.start()
    thread.join()
    assert final(tmp_path) == final(uninterrupted[0])


@pytest.mark.slow
@pytest.mark.parametrize("jit", [False, True])
def test_an_interrupted_compiled_run_resumes_to_the_same_result(tmp_path, monkeypatch, jit):
    train(tmp_path / "uninterrupted", build(jit=jit))
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(Interrupted):
            train(tmp_path / "interrupted", build(jit=jit))
    model = build(99, jit)
    train(tmp_path / "interrupted", model)
    assert model.jit_compile is jit
    assert final(tmp_path / "interrupted") == final(tmp_path / "uninterrupted")


def test_a_callback_is_called_after_each_step_and_may_stop_training(tmp_path):
    class Stopping(keras.callbacks.Callback):
        seen = ()

        def on_train_batch_end(self, batch, logs=None):
            self.seen += (batch,)
            self.model.stop_training = len(self.seen) == 7  # the second step of the second epoch

    callback = Stopping()
    with pytest.raises(UserError, match="Stopping stopped the training at epoch 2, step 2; the"):
        train(tmp_path, callbacks=[callback])
    assert callback.seen == (0, 1, 2, 3, 4, 0, 1)


def test_after_a_non_finite_loss_the_last_checkpoint_is_kept(tmp_path):
    def poisoned(epoch, first_step, history):
        return batches(epoch, first_step, history).map(
            lambda x, y: (x, tf.where(epoch == 2, float("nan"), y))
        )

    with pytest.raises(UserError, match="the loss is nan at epoch 2, step 1; the last checkpoint"):
        train(tmp_path, batches=poisoned)
    arrays, saved = checkpoint.load(tmp_path / "checkpoint")
    assert (len(saved["history"]), saved["step"]) == (1, 0)
    assert all(np.isfinite(array).all() for array in arrays)


def test_non_finite_weights_are_never_in_a_checkpoint(tmp_path):
    model = build()
    step = model.train_step

    def spoil(data):
        logs = step(data)
        model.trainable_variables[0].assign(np.full((3, 4), np.inf, "float32"))
        return logs

    model.train_step = spoil
    with pytest.raises(UserError, match="a weight is not finite at epoch 1, step 1"):
        train(tmp_path, model, checkpoint_every=1)
    assert not (tmp_path / "checkpoint").exists()


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[data.index(_values(path.parent)[0].tobytes())] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        flip,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("text"),
        lambda path: np.savez(path.open("wb"), other=np.zeros(3)),
        lambda path: np.savez(path.open("wb"), progress=np.frombuffer(b'{"a": 1}', np.uint8)),
        lambda path: np.save(path.open("wb"), np.zeros(3)),
        lambda path: np.save(path.open("wb"), np.array([{}], object)),
    ],
)
def test_a_damaged_checkpoint_gets_a_clear_error_and_no_file_changes(
    tmp_path, uninterrupted, damage
):
    for file in uninterrupted[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    damage(tmp_path / "checkpoint")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(UserError, match="checkpoint") as caught:
        train(tmp_path, epochs=4)
    assert "\n" not in str(caught.value) and "run folder" in str(caught.value)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_checkpoint_of_another_model_is_refused(tmp_path, uninterrupted):
    (tmp_path / "checkpoint").write_bytes((uninterrupted[0] / "checkpoint").read_bytes())
    with pytest.raises(UserError, match="a checkpoint of another model"):
        train(tmp_path, build(use_ema=False), epochs=4)


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    def again(model):
        with pytest.raises(UserError, match="another process is training in this folder"):
            train(tmp_path)
        return {"score": 0.0}

    train(tmp_path, epochs=1, validate=again)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "up"}, "mode must be 'max' or 'min', not 'up'"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"average": 0}, "average must be at least 1"),
        ({"monitor": "f1"}, "validate returns no 'f1' to monitor"),
        ({"batches": lambda *args: batches(*args).take(3)}, "ended at step 3 of 5"),
    ],
)
def test_bad_arguments(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **changes)


def test_tensorboard_has_each_epoch_once(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(Interrupted):
            train(tmp_path, tensorboard=True)
    train(tmp_path, tensorboard=True)
    steps = []
    for file in (tmp_path / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            steps += [event.step for value in event.summary.value if value.tag == "val_score"]
    assert sorted(steps) == [5, 10, 15]


def test_progress_lines_without_a_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    train(tmp_path, verbose=1)
    out = capsys.readouterr().out
    assert "\r" not in out
    shown = [line for line in out.splitlines() if "steps/s" in line]
    assert len(shown) == 15
    assert shown[7].startswith("epoch 2/3  step 3/5  loss ")
    assert "left  best score" in shown[7]
    ends = [line for line in out.splitlines() if "val_score" in line]
    assert len(ends) == 3 and ends[0].endswith("best so far")


def test_bfloat16_variables_are_restored_exactly(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, dtype="bfloat16")])
    model.compile("sgd", "mse")
    before = [np.array(v) for v in model.weights]
    checkpoint.save(tmp_path / "checkpoint", model, {"step": 1})
    for v in model.weights:
        v.assign(v + 1)
    values, saved = checkpoint.load(tmp_path / "checkpoint")
    checkpoint.restore(tmp_path / "checkpoint", model, values)
    assert saved == {"step": 1}
    assert all((np.array(v) == b).all() for v, b in zip(model.weights, before, strict=True))
