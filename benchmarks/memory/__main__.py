"""Train step of memory cells: seqkit against PyTorch, and small memories against large ones.

    python -m benchmarks.memory [--rounds 10] [--json FILE]

A step is the forward pass over (batch, time, 10) with an LSTM controller of 100 units and a Dense
layer of 8, a loss on every output, and the gradient of all weights; ours is compiled by XLA. The
word size is 20. The contenders take turns, one step each per round, so that drifts of the machine's
speed affect all of them; a ratio is the median over rounds of the quotient. The rows with PyTorch
require it to be installed and run `benchmarks/memory/pytorch.py`.
"""

import argparse
import json
import statistics
from pathlib import Path

import keras
import numpy as np

from benchmarks.turns import Step, layer_step, ratio, take_turns
from seqkit import RNN, LSTMCell
from seqkit.memory.dnc import DNCCell
from seqkit.memory.ntm import NTMCell
from seqkit.memory.sparse_ntm import SparseNTMCell

BATCH, INPUTS, OUTPUTS, UNITS, WORD = 16, 10, 8, 100, 20
NTM_LENGTH, DNC_LENGTH = 42, 41  # copying 20 vectors; as in the example of pytorch-dnc
SMALL, LARGE = 128, 1024


def inputs(length: int) -> np.ndarray:
    return np.random.default_rng(0).random((BATCH, length, INPUTS)).astype("float32")


def our_step(cell: type, slots: int, length: int) -> Step:
    rnn = RNN(cell(LSTMCell(UNITS), memory_size=slots, word_size=WORD), return_sequences=True)
    return layer_step(keras.Sequential([rnn, keras.layers.Dense(OUTPUTS)]), inputs(length), True)


def torch_step(name: str, slots: int, length: int) -> Step | None:
    try:
        import torch

        from benchmarks.memory import pytorch
    except ImportError:
        return None
    model = getattr(pytorch, name)(INPUTS, OUTPUTS, UNITS, slots, WORD)
    x = torch.tensor(inputs(length)).transpose(0, 1).contiguous()

    def step() -> None:
        model.zero_grad()
        (model(x) ** 2).mean().backward()

    return step


def contenders() -> dict[str, dict[str, Step | None]]:
    """Return two contenders by row; its ratio is the time of the first over that of the second."""
    return {
        "NTM": {
            "torch": torch_step("NTM", SMALL, NTM_LENGTH),
            "seqkit": our_step(NTMCell, SMALL, NTM_LENGTH),
        },
        "DNC": {
            "torch": torch_step("DNC", SMALL, DNC_LENGTH),
            "seqkit": our_step(DNCCell, SMALL, DNC_LENGTH),
        },
        "NTM by slots": {
            str(slots): our_step(NTMCell, slots, NTM_LENGTH) for slots in (LARGE, SMALL)
        },
        "sparse NTM by slots": {
            str(slots): our_step(SparseNTMCell, slots, NTM_LENGTH) for slots in (LARGE, SMALL)
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="timed steps per contender")
    parser.add_argument("--json", type=Path, help="file for the medians and ratios")
    args = parser.parse_args()

    rows = {}
    for name, pair in contenders().items():
        if None in pair.values():
            print(f"{name:20} skipped: PyTorch is not installed", flush=True)
            continue
        ms = take_turns(pair, args.rounds)
        first, second = ms
        rows[name] = {
            "ms": {side: statistics.median(v) for side, v in ms.items()},
            "ratio": ratio(ms[first], ms[second]),
        }
        times = "  ".join(f"{side} {v:.1f}" for side, v in rows[name]["ms"].items())
        print(
            f"{name:20} {times} ms   {first} takes {rows[name]['ratio']:.1f}x {second}", flush=True
        )
    if args.json:
        args.json.write_text(
            json.dumps({"rows": rows, "rounds": args.rounds}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
