"""Speed of an export of the translator, from text to text, in sentences per second.

    python -m benchmarks.translator [--saved_model saved_models/translator] [--file FILE]
        [--json FILE]

Greedy search and beam search, in batches of 64 sentences in the order of the file, not sorted by
length.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.texts import sentences_per_second  # isort: skip (silences TensorFlow)

import tensorflow as tf
import tensorflow_text  # noqa: F401 (registers the operations of SentencePiece)

from datasets.formats.lines import read_lines
from datasets.translation import read_pairs
from seqkit.export import resolve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saved_model", type=Path, default=Path("saved_models/translator"))
    parser.add_argument(
        "--file", type=Path, help="one sentence per line; default: the test split of Multi30k"
    )
    parser.add_argument("--rounds", type=int, default=3, help="timed passes over all sentences")
    parser.add_argument("--json", type=Path, help="file to write the results to")
    args = parser.parse_args()

    if args.file:
        texts = list(read_lines(args.file))
    else:
        texts = [pair.source for pair in read_pairs("multi30k", "test")]
    signatures = tf.saved_model.load(resolve(args.saved_model)).signatures

    def answer(name: str) -> Callable[[tf.Tensor], object]:
        return lambda batch: signatures[name](text=batch)["translation"].numpy()

    beams = f"{signatures['n_best'].structured_outputs['scores'].shape[-1]} beams"
    rows = sentences_per_second(
        {"greedy": answer("greedy"), beams: answer("serving_default")}, texts, args.rounds
    )
    if args.json:
        result = {"sentences": len(texts), "rows": rows, "rounds": args.rounds}
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
