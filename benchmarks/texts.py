"""Sentences a second that an export answers, in batches as they come."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.turns import take_turns  # isort: skip (it quietens TensorFlow)

import tensorflow as tf

BATCH = 64


def sentences_per_second(
    answers: Mapping[str, Callable[[tf.Tensor], object]], texts: Sequence[str], rounds: int
) -> dict[str, dict[str, float]]:
    """Time passes over all texts, in their order; the contenders take turns.

    Args:
        answers: name -> what answers a batch of texts, and waits for the answer.
        texts: a sentence each.
        rounds: timed passes of each contender.

    Returns:
        Of each contender the medians `seconds` and `sentences_per_second`, and the `slowest` and
        the `fastest` pass in sentences a second.
    """
    batches = [tf.constant(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]

    def over_all(answer: Callable[[tf.Tensor], object]) -> Callable[[], None]:
        def run() -> None:
            for batch in batches:
                answer(batch)

        return run

    rows = {}
    for name, ms in take_turns({n: over_all(a) for n, a in answers.items()}, rounds).items():
        seconds = [m / 1e3 for m in ms]
        rows[name] = row = {
            "seconds": statistics.median(seconds),
            "sentences_per_second": len(texts) / statistics.median(seconds),
            "slowest": len(texts) / max(seconds),
            "fastest": len(texts) / min(seconds),
        }
        print(
            f"{name}: {row['sentences_per_second']:.0f} sentences/s ({row['slowest']:.0f} to "
            f"{row['fastest']:.0f})",
            flush=True,
        )
    return rows
