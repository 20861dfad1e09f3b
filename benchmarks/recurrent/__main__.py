"""A step of a recurrent layer: seqkit against Keras and, where it is installed, PyTorch.

    python -m benchmarks.recurrent [--layer lstm|gru|elman|bilstm] [--forward] [--rounds 15]
                                   [--json FILE]

A training step is the forward pass over (batch, time, inputs), a loss on every output, and the
gradient of all weights and of the inputs; `--forward` measures inference instead. The contenders
take turns, so that a drift of the machine's speed falls on all of them; a ratio is the median over
rounds of the pair's quotient.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from benchmarks.turns import Step, forward_step, layer_step, ratio, take_turns
from seqkit import RNN, Bidirectional, ElmanCell, GRUCell, LSTMCell

SIZES = [  # batch, time, inputs, units
    (64, 64, 256, 256),
    (20, 35, 200, 200),
    (32, 100, 128, 128),
    (16, 200, 64, 64),
    (128, 32, 512, 512),
]


def _rnn(cell: Callable) -> Callable:
    return lambda units: RNN(cell(units), return_sequences=True)


def _keras(layer: Callable) -> Callable:
    return lambda units: layer(units, return_sequences=True)


LAYERS = {  # ours, Keras's, PyTorch's and its options
    "lstm": (_rnn(LSTMCell), _keras(keras.layers.LSTM), "LSTM", {}),
    "gru": (_rnn(GRUCell), _keras(keras.layers.GRU), "GRU", {}),
    "elman": (_rnn(ElmanCell), _keras(keras.layers.SimpleRNN), "RNN", {}),
    "bilstm": (
        lambda units: Bidirectional(_rnn(LSTMCell)(units)),
        lambda units: keras.layers.Bidirectional(_keras(keras.layers.LSTM)(units)),
        "LSTM",
        {"bidirectional": True},
    ),
}


def torch_step(kind: str, options: dict, x: np.ndarray, units: int, forward: bool) -> Step | None:
    try:
        import torch
    except ImportError:
        return None
    layer = getattr(torch.nn, kind)(x.shape[-1], units, batch_first=True, **options)
    x = torch.tensor(x, requires_grad=not forward)

    def train() -> None:
        layer.zero_grad()
        x.grad = None
        (layer(x)[0] ** 2).mean().backward()

    @torch.inference_mode()
    def infer() -> None:
        layer(x)

    return infer if forward else train


def measure(
    layer: str, size: tuple[int, int, int, int], forward: bool, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of each contender in each round."""
    ours, theirs, kind, options = LAYERS[layer]
    make_step = forward_step if forward else layer_step
    batch, length, inputs, units = size
    x = np.random.default_rng(0).normal(size=(batch, length, inputs)).astype("float32")
    contenders = {
        f"{name}{' jit' if jit else ''}": make_step(make(units), x, jit)
        for name, make in {"seqkit": ours, "keras": theirs}.items()
        for jit in (False, True)
    } | {"torch": torch_step(kind, options, x, units, forward)}
    return take_turns({name: step for name, step in contenders.items() if step}, rounds)


def best(ms: dict[str, list[float]], name: str) -> list[float]:
    """The better of a library's two modes, by median."""
    modes = [v for mode, v in ms.items() if mode.split()[0] == name]
    return min(modes, key=statistics.median)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", choices=LAYERS, default="lstm")
    parser.add_argument("--forward", action="store_true", help="measure inference")
    parser.add_argument("--rounds", type=int, default=15, help="timed steps of each contender")
    parser.add_argument("--json", type=Path, help="write the medians and ratios there")
    args = parser.parse_args()

    rows = []
    for size in SIZES:
        ms = measure(args.layer, size, args.forward, args.rounds)
        row = {"size": size, "ms": {n: statistics.median(v) for n, v in ms.items()}}
        row["ratio"] = {
            other: ratio(best(ms, "seqkit"), best(ms, other))
            for other in ("keras", "torch")
            if other in ms
        }
        row["ratio"]["keras without jit"] = ratio(ms["seqkit"], ms["keras"])
        rows.append(row)
        times = "  ".join(f"{n} {ms:.1f}" for n, ms in row["ms"].items())
        ratios = "  ".join(f"{r:.2f}x {other}" for other, r in row["ratio"].items())
        print(f"{size!s:22} {times} ms   {ratios}", flush=True)
    means = {o: statistics.geometric_mean(r["ratio"][o] for r in rows) for o in rows[0]["ratio"]}
    print("geometric mean, better mode against better mode:")
    for other, mean in means.items():
        print(f"  {mean:.2f}x the time of {other}")
    if args.json:
        result = {"layer": args.layer, "forward": args.forward, "rounds": args.rounds}
        result |= {"rows": rows, "geometric_mean": means}
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
