"""Sentences a second that an export of the tagger answers, from raw text to tags.

    python -m benchmarks.tagger [--saved_model saved_models/tagger] [--file FILE] [--json FILE]

The sentences come in batches of 64, in the order of the file, without sorting them by length.
"""

import argparse
import json
import statistics
from pathlib import Path

from benchmarks.turns import take_turns

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saved_model", type=Path, default=Path("saved_models/tagger"))
    parser.add_argument("--file", type=Path, help="CoNLL-U; without: the test split of EWT")
    parser.add_argument("--rounds", type=int, default=10, help="timed passes over all sentences")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()

    import tensorflow as tf

    from datasets.benchmarks import read_benchmark
    from datasets.conllu import read_conllu
    from seqkit.export import resolve

    sentences = read_conllu(args.file) if args.file else read_benchmark("ud_english_ewt", "test")
    texts = [sentence.text for sentence in sentences]
    batches = [tf.constant(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
    model = tf.saved_model.load(resolve(args.saved_model))
    tag = model.signatures["serving_default"]

    def tag_all() -> None:
        for batch in batches:
            tag(text=batch)["tags"].numpy()

    seconds = [ms / 1e3 for ms in take_turns({"all": tag_all}, args.rounds)["all"]]
    row = {
        "sentences": len(texts),
        "words": sum(len(sentence.words) for sentence in sentences),
        "seconds": statistics.median(seconds),
        "sentences_per_second": len(texts) / statistics.median(seconds),
        "slowest": len(texts) / max(seconds),
        "fastest": len(texts) / min(seconds),
        "rounds": args.rounds,
    }
    print(
        f"{row['sentences_per_second']:.0f} sentences/s ({row['slowest']:.0f} to "
        f"{row['fastest']:.0f}), {row['sentences']} sentences of {row['words']} words"
    )
    if args.json:
        args.json.write_text(json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
