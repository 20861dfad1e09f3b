"""CRF loss and its gradient, against the bidirectional LSTM that feeds it.

    python -m benchmarks.crf [--rounds 30] [--json FILE]

Batch 64, length 32, 24 tags; two directions of 200 units over 150 inputs. Both are timed as in
training: forward, and the gradient of all weights and of the inputs. They take turns, one step each
a round; the ratio is the median over rounds of the pair's quotient.
"""

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.turns import Step, layer_step, ratio, take_turns
from seqkit import CRF, RNN, Bidirectional, LSTMCell, crf_loss

BATCH, LENGTH, TAGS, INPUTS, UNITS = 64, 32, 24, 150, 200


def crf_step(jit: bool) -> Step:
    """A step of the CRF alone: from scores to the gradient of scores and transitions."""
    random = np.random.default_rng(0)
    scores = tf.constant(random.normal(size=(BATCH, LENGTH, TAGS)), tf.float32)
    tags = tf.constant(random.integers(TAGS, size=(BATCH, LENGTH)), tf.int32)
    mask = tf.sequence_mask(random.integers(LENGTH // 2, LENGTH + 1, size=BATCH), LENGTH)
    crf = CRF(TAGS)
    crf(scores, mask=mask)

    @tf.function(jit_compile=jit)
    def step() -> list:
        with tf.GradientTape() as tape:
            tape.watch(scores)
            loss = tf.reduce_mean(crf_loss(tags, crf(scores, mask=mask)))
        return tape.gradient(loss, [scores, *crf.trainable_variables])

    return lambda: step()[-1].numpy()


def measure(rounds: int, jit: bool) -> dict[str, float]:
    """Median milliseconds of both, and the median ratio."""
    x = np.random.default_rng(0).normal(size=(BATCH, LENGTH, INPUTS)).astype("float32")
    bilstm = Bidirectional(RNN(LSTMCell(UNITS), return_sequences=True))
    ms = take_turns({"crf": crf_step(jit), "bilstm": layer_step(bilstm, x, jit)}, rounds)
    medians = {name: statistics.median(v) for name, v in ms.items()}
    return {**medians, "ratio": ratio(ms["crf"], ms["bilstm"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="timed steps of each")
    parser.add_argument("--json", type=Path, help="write the medians and ratios there")
    args = parser.parse_args()
    rows = {"plain": measure(args.rounds, jit=False), "jit": measure(args.rounds, jit=True)}
    for mode, row in rows.items():
        print(
            f"{mode:6} crf {row['crf']:.1f} ms  bilstm {row['bilstm']:.1f} ms  {row['ratio']:.2f}x"
        )
    if args.json:
        args.json.write_text(
            json.dumps({**rows, "rounds": args.rounds}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
