"""Sentences a second that an export of the tagger answers, from raw text to tags.

    python -m benchmarks.tagger [--saved_model saved_models/tagger] [--file FILE] [--json FILE]

The sentences come in batches of 64, in the order of the file, without sorting them by length.
"""

import argparse
import json
from pathlib import Path

from benchmarks.texts import sentences_per_second  # isort: skip (it quietens TensorFlow)

import tensorflow as tf

from datasets.formats.conllu import read_conllu
from datasets.tagging import read_benchmark
from seqkit.export import resolve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saved_model", type=Path, default=Path("saved_models/tagger"))
    parser.add_argument("--file", type=Path, help="CoNLL-U; without: the test split of EWT")
    parser.add_argument("--rounds", type=int, default=10, help="timed passes over all sentences")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()

    sentences = read_conllu(args.file) if args.file else read_benchmark("ud_english_ewt", "test")
    texts = [sentence.text for sentence in sentences]
    tag = tf.saved_model.load(resolve(args.saved_model)).signatures["serving_default"]
    rows = sentences_per_second(
        {"tagger": lambda batch: tag(text=batch)["tags"].numpy()}, texts, args.rounds
    )
    row = {
        "sentences": len(texts),
        "words": sum(len(sentence.words) for sentence in sentences),
        **rows["tagger"],
        "rounds": args.rounds,
    }
    if args.json:
        args.json.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
