"""Decoding: beam search against greedy, and greedy against a Python loop of Keras calls.

    python -m benchmarks.decoding [--rounds 5] [--json FILE]

The decoder is a GRU of 320 units with additive attention over 15 source positions and a vocabulary
of 8,000, with random weights; it decodes 64 sentences for 30 steps each. A SavedModel runs as a
graph on a CPU; XLA compiles for a TPU. The contenders take turns, one call each per round, so that
drifts of the machine's speed affect all of them; a ratio is the median over rounds of the quotient.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.turns import Step, ratio, take_turns  # isort: skip (it silences TensorFlow)

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from seqkit import GRUCell
from seqkit.attention import AttentionCell, BahdanauAttention
from seqkit.decoding import PredictedLength, beam_search, greedy
from seqkit.typing import Nest, States, Tensor

BATCH, SOURCE, STEPS, UNITS, VOCABULARY, BEAMS = 64, 15, 30, 320, 8000, 10


class Decoder:
    """The decoder of Bahdanau et al. 2015 without its maxout layer."""

    def __init__(self) -> None:
        keras.utils.set_random_seed(0)
        self.embed = keras.layers.Embedding(VOCABULARY, UNITS)
        self.cell = AttentionCell(GRUCell(UNITS), BahdanauAttention(UNITS))
        self.hidden = keras.layers.Dense(UNITS, activation="tanh")
        self.output = keras.layers.Dense(VOCABULARY)
        memory = np.random.default_rng(0).standard_normal((BATCH, SOURCE, 2 * UNITS))
        memory = ops.convert_to_tensor(memory, "float32")
        self.cell.build((BATCH, UNITS), memory.shape)
        self.cell.built = True
        self.constants = self.cell.attention.prepare(memory, ops.ones((BATCH, SOURCE), "bool"))
        self.state = self.cell.get_initial_state(BATCH, self.constants)

    def step(self, tokens: Tensor, state: States, constants: Nest) -> tuple[Tensor, States]:
        output, state = self.cell(self.embed(tokens), state, constants=constants)
        return ops.log_softmax(self.output(self.hidden(output))), state


def decoding(search: Callable, jit: bool, **options: Any) -> Step:
    decoder = Decoder()
    decoder.step(ops.zeros((BATCH,), "int32"), decoder.state, decoder.constants)  # builds
    length = PredictedLength(ops.full((BATCH,), STEPS, "int32"))

    @tf.function(jit_compile=jit)
    def run() -> tuple[Tensor, Tensor]:
        found = search(
            decoder.step,
            decoder.state,
            decoder.constants,
            bos_id=1,
            length=length,
            max_length=STEPS,
            **options,
        )
        return found.tokens, found.scores

    return lambda: run()[0].numpy()


def python_loop() -> Step:
    decoder = Decoder()

    def run() -> np.ndarray:
        tokens, state, outputs = ops.ones((BATCH,), "int32"), decoder.state, []
        for _ in range(STEPS):
            log_p, state = decoder.step(tokens, state, decoder.constants)
            tokens = ops.argmax(log_p, axis=-1)
            outputs.append(tokens.numpy())
        return np.stack(outputs, axis=1)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="timed calls per contender")
    parser.add_argument("--json", type=Path, help="file for the medians and ratios")
    args = parser.parse_args()

    ms = take_turns(
        {
            "greedy": decoding(greedy, jit=False),
            "beam": decoding(beam_search, jit=False, num_beams=BEAMS),
            "greedy, XLA": decoding(greedy, jit=True),
            "beam, XLA": decoding(beam_search, jit=True, num_beams=BEAMS),
            "Python loop": python_loop(),
        },
        args.rounds,
    )
    rows = {}
    for slow, fast in (("beam", "greedy"), ("beam, XLA", "greedy, XLA"), ("Python loop", "greedy")):
        medians = {name: statistics.median(ms[name]) for name in (slow, fast)}
        rows[f"{slow} / {fast}"] = {"ms": medians, "ratio": ratio(ms[slow], ms[fast])}
        times = "  ".join(f"{name} {value:.0f} ms" for name, value in medians.items())
        print(f"{times}   {slow} takes {ratio(ms[slow], ms[fast]):.2f}x {fast}", flush=True)
    if args.json:
        args.json.write_text(
            json.dumps({"rows": rows, "rounds": args.rounds}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
