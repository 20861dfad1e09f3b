"""A run that is killed ends like an uninterrupted one.

Run as a module (`python -m tests.apps.common.training.test_fit_kill RUN [--jit]`) this file is that
run: a small LSTM with dropout, averaged weights and early stopping, on partly wrong labels, so that
the dev score rises and then falls.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.common.training import checkpoint
from apps.common.training.fit import Stopping, Training
from tests.apps.common.training.test_fit import final
from tests.apps.kill import run, train_and_kill

STEPS, BATCH, LENGTH, WORDS = 25, 8, 4, 20
STEP_SECONDS = 0.01  # slow enough to be killed midway


def build(jit):
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Embedding(WORDS, 8),
        keras.layers.LSTM(8, dropout=0.2, recurrent_dropout=0.2),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input((LENGTH,), dtype="int32"), *layers])
    optimizer = keras.optimizers.AdamW(0.02, use_ema=True, ema_momentum=0.9)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit)
    return model


def examples(seed, *size):
    """Return words, and whether the last one is in the first half; one in ten labels is wrong."""
    data = np.random.default_rng(seed)
    x = data.integers(WORDS, size=(*size, LENGTH))
    wrong = data.random(size) < 0.1
    return x, (x[..., -1] < WORDS // 2) ^ wrong


def batches(epoch, first_step, history):
    x, y = examples(0, STEPS, BATCH)
    order = np.random.default_rng(epoch).permutation(STEPS)[first_step:]

    def generate():
        for i in order:
            time.sleep(STEP_SECONDS)
            yield x[i], y[i]

    return tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec([BATCH, LENGTH], tf.int32),
            tf.TensorSpec([BATCH], tf.int32),
        ),
    )


def validate(model):
    x, y = examples(1, 128)
    logits = model.predict_on_batch(x)
    loss = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    return {"loss": float(np.mean(loss))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--jit", action="store_true")
    args = parser.parse_args()
    args.run.mkdir(exist_ok=True)
    model = build(args.jit)
    assert model.jit_compile is args.jit
    Training(
        model,
        batches,
        STEPS,
        lambda: validate(model),
        args.run,
        Stopping(epochs=30, monitor="loss", mode="min", patience=6),
        checkpoint_every=7,
        tensorboard=False,
    ).fit()
    assert model.jit_compile is args.jit


@pytest.mark.slow
@pytest.mark.parametrize("jit", [False, True])
def test_kills_do_not_change_the_result(tmp_path, jit):
    def program(name):
        flags = ["--jit"] if jit else []
        return ["-m", "tests.apps.common.training.test_fit_kill", str(tmp_path / name), *flags]

    run(program("unbroken"))
    checkpoint_file = tmp_path / "killed" / "checkpoint"
    train_and_kill(
        program("killed"), checkpoint_file, kills=2 if jit else 5, spread=0.3, in_checkpoint=True
    )

    unbroken, killed = final(tmp_path / "unbroken"), final(tmp_path / "killed")
    assert killed == unbroken
    history = checkpoint.load(tmp_path / "killed" / "checkpoint")[1]["history"]
    best = min(history, key=lambda line: line["val_loss"])
    assert len(history) == best["epoch"] + 6 < 30  # stopped early


if __name__ == "__main__":
    main()
