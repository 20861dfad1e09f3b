"""How good a translator is: a model in training, and what is served."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.common.app import Evaluation, Signatures, Validation
from apps.translator.config import Config
from apps.translator.data import SPEC, Data, batch, checksum, plan, prepare, read_split
from apps.translator.model import CHAIN, Steps
from apps.translator.scores import Band, by_length, length_table, metric, quick_score, score
from apps.translator.subwords import EOS, decode, encode
from datasets.translation import Pair, direction, read_pair_file
from seqkit.decoding import greedy

_BATCH = 64


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Make what scores a model on the dev pairs: the loss, and greedy translations."""
    steps = Steps(model)

    @tf.function(input_signature=[SPEC[0]["source"]])
    def translate(source: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = greedy(
            steps.step,
            *steps.begin(source),
            max_length=config.max_length,
            **CHAIN,
        )
        return found.tokens, found.lengths

    @tf.function(input_signature=SPEC)
    def loss(inputs: dict, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        logits = model(inputs, training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_sum(nats * weights)

    source, target = (
        encode(pieces, side)
        for pieces, side in zip(
            (data.subwords.source, data.subwords.target), zip(*data.dev, strict=True), strict=True
        )
    )
    lengths = np.array([(len(s), len(t)) for s, t in zip(source, target, strict=True)])
    batches = plan(lengths, _BATCH)

    def validate() -> dict[str, float]:
        nats = words = 0.0
        translations: list[str] = [""] * len(source)
        for rows in batches:
            inputs, targets, weights = batch([source[i] for i in rows], [target[i] for i in rows])
            nats += float(loss(inputs, targets, weights))
            words += weights.sum()
            tokens, lengths = (found.numpy() for found in translate(inputs["source"]))
            ids = [[i for i in row[:n] if i != EOS] for row, n in zip(tokens, lengths, strict=True)]
            for row, text in zip(rows, decode(data.subwords.target, ids), strict=True):
                translations[row] = text
        scores = quick_score(translations, [pair.target for pair in data.dev])
        return {"loss": nats / words, **scores}

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score what is served on a split, or on the pairs of a file, next to copying the source.

    Args:
        config: of the model.
        signatures: what is served.
        folder: what `Data.save` wrote into; nothing is read of it.
        split: `dev` or `test`.
        file: tab-separated pairs, instead of the split.
    """
    pairs = prepare(config, read_pair_file(file)) if file else read_split(config, split)
    source, target = map(list, zip(*pairs, strict=True))
    searched = translate_lines(signatures, "serving_default", source)
    greedily = translate_lines(signatures, "greedy", source)
    language = language_of(config)
    bands = by_length(pairs, searched)
    gap = _exposure_bias(signatures, pairs)
    return Evaluation(
        metric=metric(),
        scores=score(searched, target, language) | gap,
        baselines={
            "greedy": score(greedily, target, language),
            "copying the source": score(source, target, language),
        },
        size={"sentences": len(pairs), "words of the source": sum(len(s.split()) for s in source)},
        checksum=checksum(pairs),
        details=length_table(bands) + "\n\n" + _gap_text(gap),
        figures={"by_length": {name: band._asdict() for name, band in bands.items()}},
        picture=lambda path: _picture(path, bands),
    )


def language_of(config: Config) -> str:
    """The language that is translated to, as far as it is known; else English."""
    if config.train_file or config.dataset in ("dates", "king_james"):
        return "en"
    return direction(config.dataset, config.source, config.target)[1]


def translate_lines(signatures: Signatures, name: str, lines: Sequence[str]) -> list[str]:
    """Translate lines in batches of like length."""
    translations: list[str] = [""] * len(lines)
    order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        answer = signatures[name](text=tf.constant([lines[i] for i in rows]))
        for row, text in zip(rows, answer["translation"].numpy(), strict=True):
            translations[row] = text.decode()
    return translations


def _exposure_bias(signatures: Signatures, pairs: Sequence[Pair]) -> dict[str, float]:
    """Share of pieces that are told rightly behind the given ones, and behind the model's own."""
    sums = {"forced_accuracy": 0.0, "free_accuracy": 0.0}
    pieces = 0
    order = sorted(pairs, key=lambda pair: len(pair.target))
    for start in range(0, len(order), _BATCH):
        source, target = zip(*order[start : start + _BATCH], strict=True)
        answer = signatures["exposure_bias"](source=tf.constant(source), target=tf.constant(target))
        pieces += int(answer["lengths"].numpy().sum())
        for name in sums:
            sums[name] += float(answer[name].numpy().sum())
    return {name: 100 * total / pieces for name, total in sums.items()}


def _gap_text(gap: dict[str, float]) -> str:
    forced, free = gap["forced_accuracy"], gap["free_accuracy"]
    return (
        f"exposure bias: {forced:.2f} % of the pieces are right behind the reference's own, "
        f"{free:.2f} % behind the decoder's: a gap of {forced - free:.2f}"
    )


def _picture(path: Path, bands: dict[str, Band]) -> None:
    from apps.translator.pictures import length_curves  # Matplotlib, only if asked for

    length_curves(path, {"": bands})
