"""Scores of a tagger: of a model in training, and of exported functions."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.common.answers import call, strings
from apps.common.app import Evaluation, Signatures, Validation
from apps.common.batching import in_batches, pad
from apps.tagger.config import Config
from apps.tagger.data import Data, check_tags, checksum, input_names, read_file, read_split
from apps.tagger.decoding import best_tags
from apps.tagger.features import Features
from apps.tagger.scores import (
    baselines,
    class_table,
    confusions,
    metric,
    raw_text_score,
    score,
    seen_and_unseen,
)
from apps.tagger.vocabulary import Vocabulary
from datasets.formats.columns import Sentence
from datasets.formats.lines import DataError


def validation(config: Config, model: keras.Model, data: Data) -> Validation:
    """Return a function that scores a model in training on the dev sentences."""
    features = Features(data.vocabulary, input_names(config))
    answers = np.array(data.vocabulary.answers, object)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def tag(words: tf.Tensor) -> tf.Tensor:
        return best_tags(model(features(words), training=False)["tags"])

    words = [sentence.words for sentence in data.dev]
    gold = [sentence.tags for sentence in data.dev]

    def validate() -> dict[str, float]:
        predicted = _tag_by_length(words, lambda batch: answers[tag(batch).numpy()])
        return score(gold, predicted, spans=data.vocabulary.scheme is not None)

    return validate


def evaluate(
    config: Config, signatures: Signatures, folder: Path, split: str, file: Path | None = None
) -> Evaluation:
    """Score exported functions and baselines on a split, or on a file in the training format."""
    vocabulary = Vocabulary.read(folder)
    spans = vocabulary.scheme is not None
    sentences = read_file(config, file) if file else read_split(config, split)
    name = str(file or getattr(config, f"{split}_file") or split)
    sentences = check_tags(sentences, vocabulary, name)
    words, gold = [s.words for s in sentences], [s.tags for s in sentences]
    predicted = tag_sentences(signatures, words)
    scores = score(gold, predicted, spans)
    tables = [class_table(gold, predicted, spans), confusions(words, gold, predicted)]
    guesses = {}
    try:
        train = check_tags(read_split(config, "train"), vocabulary, "train")
    except DataError as error:  # the training data of an export may not be available
        tables.append(
            f"no baselines or scores of unseen words, which require the training data: {error}"
        )
    else:
        guesses = baselines(train, sentences, restores=config.restores)
        known = {word for sentence in train for word in sentence.words}
        scores |= seen_and_unseen(words, gold, predicted, known)
    if any(sentence.text for sentence in sentences):
        raw, note = _from_raw_text(signatures, sentences)
        scores |= raw
        tables.append(note)
    return Evaluation(
        metric=metric(spans),
        scores=scores,
        baselines={name: score(gold, tags, spans) for name, tags in guesses.items()},
        size={"sentences": len(sentences), "words": sum(map(len, words))},
        checksum=checksum(sentences),
        details="\n\n".join(tables),
    )


def tag_sentences(signatures: Signatures, words: Sequence[Sequence[str]]) -> list[list[str]]:
    """Tag sentences that are already split, with the signature `words`."""

    def tag(batch: np.ndarray) -> list[list[str]]:
        return [strings(row) for row in call(signatures["words"], words=batch)["tags"]]

    return _tag_by_length(words, tag)


def _from_raw_text(
    signatures: Signatures, sentences: Sequence[Sentence]
) -> tuple[dict[str, float], str]:
    """Score the tags of sentences given as raw text, which the export splits into words.

    Sentences whose words differ from the text, such as German `zu dem` for `zum`, are left out:
    their characters can't be compared.
    """

    def tag(batch: list[Sentence]) -> list[tuple[list[str], list[str]]]:
        answer = call(signatures["serving_default"], text=[s.text for s in batch])
        rows = zip(answer["words"], answer["tags"], answer["lengths"], strict=True)
        return [(strings(words[:n]), strings(tags[:n])) for words, tags, n in rows]

    written = [sentence for sentence in sentences if sentence.text]
    gold, system = [], []
    for sentence, (words, tags) in zip(written, in_batches(tag, written), strict=True):
        if _characters(words) == _characters(sentence.words):
            gold.append((sentence.words, sentence.tags))
            system.append((words, tags))
    if not gold:
        return {}, "no scores from raw text: the words of every sentence differ from its text"
    note = (
        f"scores from raw text: of the {len(gold):,} of {len(sentences):,} sentences whose words "
        "agree with their text"
    )
    return raw_text_score(gold, system), note


def _characters(words: Sequence[str]) -> str:
    return "".join("".join(words).split())


def _tag_by_length(
    words: Sequence[Sequence[str]], tag: Callable[[np.ndarray], Sequence[Sequence[str]]]
) -> list[list[str]]:
    """Tag sentences in batches of similar length, so that there is little padding."""
    tagged = in_batches(lambda batch: tag(pad(batch, "")), words, key=len)
    return [list(tags[: len(row)]) for tags, row in zip(tagged, words, strict=True)]
