"""Train step of an LSTM layer: seqkit against Keras and, where it is installed, PyTorch.

    python -m benchmarks.lstm [--rounds 15] [--json FILE]

A step is the forward pass over (batch, time, inputs), a loss on every output, and the gradient of
all weights and of the inputs. The contenders take turns, one step each a round, so that a drift of
the machine's speed falls on all of them; a ratio is the median over rounds of the pair's quotient.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from seqkit import RNN, LSTMCell

SIZES = [  # batch, time, inputs, units
    (64, 64, 256, 256),
    (20, 35, 200, 200),
    (32, 100, 128, 128),
    (16, 200, 64, 64),
    (128, 32, 512, 512),
]


def keras_step(layer: keras.layers.Layer, x: np.ndarray, jit: bool) -> Callable[[], None]:
    x = tf.constant(x)
    layer(x)

    @tf.function(jit_compile=jit)
    def step() -> list:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(layer(x, training=True) ** 2)
        return tape.gradient(loss, [x, *layer.trainable_variables])

    return lambda: step()[-1].numpy()


def torch_step(x: np.ndarray, units: int) -> Callable[[], None] | None:
    try:
        import torch
    except ImportError:
        return None
    layer = torch.nn.LSTM(x.shape[-1], units, batch_first=True)
    x = torch.tensor(x, requires_grad=True)

    def step() -> None:
        layer.zero_grad()
        x.grad = None
        (layer(x)[0] ** 2).mean().backward()

    return step


def measure(size: tuple[int, int, int, int], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round."""
    batch, length, inputs, units = size
    x = np.random.default_rng(0).normal(size=(batch, length, inputs)).astype("float32")
    contenders = {
        f"{name}{' jit' if jit else ''}": keras_step(make(), x, jit)
        for name, make in {
            "seqkit": lambda: RNN(LSTMCell(units), return_sequences=True),
            "keras": lambda: keras.layers.LSTM(units, return_sequences=True),
        }.items()
        for jit in (False, True)
    } | {"torch": torch_step(x, units)}
    contenders = {name: step for name, step in contenders.items() if step}
    seconds = {name: [] for name in contenders}
    for k in range(rounds + 2):  # the first two compile and warm up
        for name, step in contenders.items():
            begin = time.perf_counter()
            step()
            if k >= 2:
                seconds[name].append(time.perf_counter() - begin)
    return seconds


def best(seconds: dict[str, list[float]], name: str) -> list[float]:
    """The better of a library's two modes, by median."""
    modes = [s for mode, s in seconds.items() if mode.split()[0] == name]
    return min(modes, key=statistics.median)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="timed steps of each contender")
    parser.add_argument("--json", type=Path, help="write the medians and ratios there")
    args = parser.parse_args()

    rows = []
    for size in SIZES:
        seconds = measure(size, args.rounds)
        row = {"size": size, "ms": {n: 1e3 * statistics.median(s) for n, s in seconds.items()}}
        row["ratio"] = {
            other: statistics.median(
                a / b for a, b in zip(best(seconds, "seqkit"), best(seconds, other), strict=True)
            )
            for other in ("keras", "torch")
            if other in {n.split()[0] for n in seconds}
        }
        rows.append(row)
        times = "  ".join(f"{n} {ms:.1f}" for n, ms in row["ms"].items())
        ratios = "  ".join(f"{r:.2f}x {other}" for other, r in row["ratio"].items())
        print(f"{size!s:22} {times} ms   {ratios}", flush=True)
    means = {o: statistics.geometric_mean(r["ratio"][o] for r in rows) for o in rows[0]["ratio"]}
    print("geometric mean, better mode against better mode:")
    for other, mean in means.items():
        print(f"  {mean:.2f}x the time of {other}")
    if args.json:
        result = {"rows": rows, "geometric_mean": means, "rounds": args.rounds}
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
