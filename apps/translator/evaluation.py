"""Scores of translations: of a model in training, and of exported functions."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from apps.common.answers import call, strings
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.batching import in_batches
from apps.common.splits import checksum
from apps.translator.config import Config
from apps.translator.data import SPEC, Data, batch, encode_pairs, normalize, plan, read_split
from apps.translator.model import SEQUENCE, encoder_of
from apps.translator.scores import Band, by_length, length_table, metric, quick_score, score
from apps.translator.subwords import EOS, decode
from datasets.translation import Pair, direction, read_pair_file
from seqkit.decoding import greedy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BATCH = 64


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Return a function that scores a model in training on dev: loss and greedy translations."""
    source, target = encode_pairs(data.vocabulary, data.dev)
    lengths = np.array([(len(s), len(t)) for s, t in zip(source, target, strict=True)])
    groups = plan(lengths, _BATCH)
    batches = [batch([source[i] for i in rows], [target[i] for i in rows]) for rows in groups]
    total_loss, translate = _total_loss(model), _greedy_search(config, model)

    def validate() -> dict[str, float]:
        nats = pieces = 0.0
        ids: list[list[int]] = [[]] * len(source)
        for rows, (inputs, targets, weights) in zip(groups, batches, strict=True):
            nats += float(total_loss(inputs, targets, weights))
            pieces += weights.sum()
            found = (part.numpy() for part in translate(inputs["source"]))
            for row, tokens, length in zip(rows, *found, strict=True):
                ids[row] = [token for token in tokens[:length] if token != EOS]
        translations = decode(data.vocabulary.target, ids)
        return {"loss": nats / pieces, **quick_score(translations, [t for _, t in data.dev])}

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score exported functions on a split, or on a file of tab-separated pairs.

    Returns:
        The scores of `scores.score`, and `forced_accuracy` and `free_accuracy` in percent: the
        accuracy of the next piece after gold prefixes and after the model's own. Baselines: greedy
        search, and copying the source.
    """
    pairs = normalize(config, read_pair_file(file)) if file else read_split(config, split)
    source, target = map(list, zip(*pairs, strict=True))
    translations = translate_lines(signatures, "serving_default", source)
    greedy_translations = translate_lines(signatures, "greedy", source)
    language = language_of(config)
    bands = by_length(pairs, translations)
    accuracy = _accuracy(signatures, pairs)
    return Evaluation(
        metric=metric(),
        scores=score(translations, target, language) | accuracy,
        baselines={
            "greedy": score(greedy_translations, target, language),
            "copying the source": score(source, target, language),
        },
        size={"sentences": len(pairs), "words of the source": sum(len(s.split()) for s in source)},
        checksum=checksum(pairs),
        details=length_table(bands) + "\n\n" + _exposure_bias_text(accuracy),
        figures={"by_length": {name: band._asdict() for name, band in bands.items()}},
        picture=lambda: _picture(bands),
    )


def language_of(config: Config) -> str:
    """Return the language of the translations if it is known, otherwise English."""
    if config.train_file or config.dataset in ("dates", "king_james"):
        return "en"
    return direction(config.dataset, config.source, config.target)[1]


def translate_lines(signatures: Signatures, name: str, lines: Sequence[str]) -> list[str]:
    """Translate lines with a signature, in batches of similar length."""

    def translate(batch: list[str]) -> list[str]:
        return strings(call(signatures[name], text=batch)["translation"])

    return in_batches(translate, lines, _BATCH, key=len)


def _total_loss(model: keras.Model) -> Callable:
    """Return a function from a batch to its cross-entropy in nats, summed over the pieces."""

    @tf.function(input_signature=SPEC)
    def total_loss(inputs: dict, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        logits = model(inputs, training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_sum(nats * weights)

    return total_loss


def _greedy_search(config: Config, model: keras.Model) -> Callable:
    """Return a function from sources to the tokens and lengths of their greedy translations."""
    encoder, decoder = encoder_of(model), model.get_layer("decoder")

    @tf.function(input_signature=[SPEC[0]["source"]])
    def translate(source: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        start = decoder.prepare(source, *encoder(source, training=False))
        found = greedy(decoder.step, *start, max_length=config.max_length, **SEQUENCE)
        return found.tokens, found.lengths

    return translate


def _accuracy(signatures: Signatures, pairs: Sequence[Pair]) -> dict[str, float]:
    """Return the token accuracy after gold prefixes and after the model's own, in percent."""
    names = "forced_accuracy", "free_accuracy"

    def count(batch: list[Pair]) -> np.ndarray:
        source, target = zip(*batch, strict=True)
        answer = call(signatures["exposure_bias"], source=source, target=target)
        return np.stack([answer["lengths"], *(answer[name].sum(axis=1) for name in names)], axis=1)

    counts = in_batches(count, pairs, _BATCH, key=lambda pair: len(pair.target))
    pieces, *correct = np.sum(counts, axis=0).tolist()
    return {name: 100 * n / pieces for name, n in zip(names, correct, strict=True)}


def _exposure_bias_text(accuracy: dict[str, float]) -> str:
    forced, free = accuracy["forced_accuracy"], accuracy["free_accuracy"]
    return (
        f"exposure bias: token accuracy {forced:.2f}% after gold prefixes, {free:.2f}% after the "
        f"model's own; gap {forced - free:.2f}"
    )


def _picture(bands: dict[str, Band]) -> "Figure":
    from apps.translator.pictures import length_curves  # imports Matplotlib, only if needed

    return length_curves({"": bands})
