"""How good a tagger is, next to what needs no training."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import sklearn
import tensorflow as tf
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from apps.common.app import Evaluation, Signatures
from apps.common.report import table
from apps.tagger.config import Config
from apps.tagger.data import Data, checksum, pad, read_split
from apps.tagger.restoration import split_tag
from datasets.columns import Sentence, read_columns
from datasets.text import DataError

METRIC = f"macro F1 over the labels of the gold tags, scikit-learn {sklearn.__version__}"
_BATCH = 64


def validate(config: Config, model: keras.Model, data: Data) -> dict[str, float]:
    """Score a model on the dev sentences."""
    del config
    gold, predicted = [], []
    for words, tags, weights in data.dev_batches():
        real = weights.numpy() > 0
        gold.append(tags.numpy()[real])
        predicted.append(model.predict_on_batch(words).argmax(-1)[real])
    return score(np.concatenate(gold), np.concatenate(predicted))


def evaluate(
    config: Config, signatures: Signatures, split: str, file: Path | None = None
) -> Evaluation:
    """Score what is served on a split, or on the sentences of a file, and the baselines with it.

    Args:
        config: of the model.
        signatures: what is served.
        split: `dev` or `test`.
        file: sentences in CoNLL columns, instead of the split.
    """
    sentences = read_columns(file) if file else read_split(config, split)
    gold = [tag for sentence in sentences for tag in sentence.tags]
    predicted = [tag for tags in tag_sentences(signatures, sentences) for tag in tags]
    details = label_table(gold, predicted)
    try:
        train = read_split(config, "train")
        guesses = baselines(train, sentences, restores=config.restores)
    except DataError as error:  # an export may be far from what it was trained on
        guesses = {}
        details += f"\n\nwithout baselines, which need the training data: {error}"
    return Evaluation(
        metric=METRIC,
        scores=score(gold, predicted),
        baselines={name: score(gold, tags) for name, tags in guesses.items()},
        size={"sentences": len(sentences), "words": len(gold)},
        checksum=checksum(sentences),
        details=details,
    )


def tag_sentences(signatures: Signatures, sentences: list[Sentence]) -> list[list[str]]:
    """Tag split sentences by the signature `words`, in batches of like length."""
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index].words))
    tagged: list[list[str]] = [[]] * len(sentences)
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        words = pad([sentences[index].words for index in batch])
        tags = signatures["words"](words=tf.constant(words, tf.string))["tags"].numpy()
        for index, row in zip(batch, tags, strict=True):
            tagged[index] = [tag.decode() for tag in row[: len(sentences[index].words)]]
    return tagged


def score(gold: list | np.ndarray, predicted: list | np.ndarray) -> dict[str, float]:
    """Compute accuracy and macro F1, in percent.

    The labels averaged over are those of the gold tags, so that every system is averaged over
    the same ones.

    >>> score(["a", "a", "b", "b"], ["a", "a", "a", "c"])
    {'accuracy': 50.0, 'macro_f1': 40.0}
    """
    _, ids = np.unique([*gold, *predicted], return_inverse=True)  # scikit-learn is slow on strings
    gold, predicted = ids[: len(gold)], ids[len(gold) :]
    labels = np.unique(gold)
    macro_f1 = f1_score(gold, predicted, labels=labels, average="macro", zero_division=0)
    return {
        "accuracy": 100 * float(accuracy_score(gold, predicted)),
        "macro_f1": 100 * float(macro_f1),
    }


def baselines(
    train: list[Sentence], sentences: list[Sentence], restores: bool
) -> dict[str, list[str]]:
    """Tag sentences without a model.

    `majority tag`: the most frequent one. `last word`: the most frequent tag of the current word,
    the last word read; for a new word the majority tag. `capital first, full stop last`, if the
    tags restore text: the case of `last word`, a capital at the beginning and a full stop at the
    end.

    Returns:
        The name of each baseline, and its tags, in the order of the words.
    """
    counts: dict[str, Counter] = {}
    for words, tags in train:
        for word, tag in zip(words, tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    majority = sum(counts.values(), Counter()).most_common(1)[0][0]
    of_word = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    last_word = [[of_word.get(word, majority) for word in words] for words, _ in sentences]
    guesses = {
        "majority tag": [majority for words, _ in sentences for _ in words],
        "last word": [tag for tags in last_word for tag in tags],
    }
    if restores:
        guesses["capital first, full stop last"] = [
            tag for tags in last_word for tag in _capital_and_full_stop(tags)
        ]
    return guesses


def _capital_and_full_stop(tags: list[str]) -> list[str]:
    cases = [split_tag(tag)[0] for tag in tags]
    cases[0] = "UPPER" if cases[0] == "UPPER" else "Title"
    return [*cases[:-1], cases[-1] + "."]


def label_table(gold: list[str], predicted: list[str]) -> str:
    """Lay out precision, recall, F1 and support of each label of the gold tags."""
    labels = sorted(set(gold))
    columns = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=0)
    rows = [
        [label, *(f"{100 * value:.2f}" for value in values), str(support)]
        for label, *values, support in zip(labels, *columns, strict=True)
    ]
    return table(["label", "precision", "recall", "F1", "support"], rows)
