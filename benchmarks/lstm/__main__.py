"""Train step of an LSTM layer: seqkit against Keras and, where it is installed, PyTorch.

    python -m benchmarks.lstm [--rounds 15] [--json FILE]

A step is the forward pass over (batch, time, inputs), a loss on every output, and the gradient of
all weights and of the inputs. The contenders take turns, one step each a round, so that a drift of
the machine's speed falls on all of them; a ratio is the median over rounds of the pair's quotient.
"""

import argparse
import json
import statistics
from pathlib import Path

import keras
import numpy as np

from benchmarks.turns import Step, layer_step, ratio, take_turns
from seqkit import RNN, LSTMCell

SIZES = [  # batch, time, inputs, units
    (64, 64, 256, 256),
    (20, 35, 200, 200),
    (32, 100, 128, 128),
    (16, 200, 64, 64),
    (128, 32, 512, 512),
]


def torch_step(x: np.ndarray, units: int) -> Step | None:
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
    """Milliseconds of each contender in each round."""
    batch, length, inputs, units = size
    x = np.random.default_rng(0).normal(size=(batch, length, inputs)).astype("float32")
    contenders = {
        f"{name}{' jit' if jit else ''}": layer_step(make(), x, jit)
        for name, make in {
            "seqkit": lambda: RNN(LSTMCell(units), return_sequences=True),
            "keras": lambda: keras.layers.LSTM(units, return_sequences=True),
        }.items()
        for jit in (False, True)
    } | {"torch": torch_step(x, units)}
    return take_turns({name: step for name, step in contenders.items() if step}, rounds)


def best(ms: dict[str, list[float]], name: str) -> list[float]:
    """The better of a library's two modes, by median."""
    modes = [v for mode, v in ms.items() if mode.split()[0] == name]
    return min(modes, key=statistics.median)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="timed steps of each contender")
    parser.add_argument("--json", type=Path, help="write the medians and ratios there")
    args = parser.parse_args()

    rows = []
    for size in SIZES:
        ms = measure(size, args.rounds)
        row = {"size": size, "ms": {n: statistics.median(v) for n, v in ms.items()}}
        row["ratio"] = {
            other: ratio(best(ms, "seqkit"), best(ms, other))
            for other in ("keras", "torch")
            if other in {n.split()[0] for n in ms}
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
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
