"""Scores of tags, tables of errors, and baselines without training.

Tags are lists of sentences, each a list of strings; scores are in percent.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from importlib.metadata import version
from itertools import accumulate, chain, pairwise

import numpy as np
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as span_scores
from sklearn.metrics import f1_score, precision_recall_fscore_support

from apps.common.report import table
from apps.tagger.restoration import split_tag
from apps.tagger.spans import standard
from datasets.formats.columns import Sentence

Strings = Sequence[Sequence[str]]  # sentences of words or of tags


def metric(spans: bool) -> str:
    """Describe how `score` computes F1, and with which library."""
    if spans:
        return f"F1 of spans as conlleval counts them, seqeval {version('seqeval')}"
    return f"macro F1 over the labels of the gold tags, scikit-learn {version('scikit-learn')}"


def score(gold: Strings, predicted: Strings, spans: bool) -> dict[str, float]:
    """Compute accuracy and F1.

    For plain tags: macro F1 over the labels of the gold tags, so that every system is averaged
    over the same ones. For span tags: precision, recall and F1 over all spans; a span is correct if
    its class and both its ends are.

    Args:
        gold: Correct tags.
        predicted: Predicted tags.
        spans: Whether the tags mark spans; both sides in the same scheme.

    Returns:
        `accuracy` and `macro_f1`, or `accuracy`, `precision`, `recall` and `f1`.

    Raises:
        ValueError: If the numbers of tags differ, or there are no tags.

    Example:
        >>> score([["a", "a"], ["b", "b"]], [["a", "a"], ["a", "c"]], spans=False)
        {'accuracy': 50.0, 'macro_f1': 40.0}
        >>> score([["B-A", "I-A", "O", "B-A"]], [["B-A", "I-A", "O", "O"]], spans=True)["recall"]
        50.0
    """
    gold_ids, predicted_ids, _ = _ids(gold, predicted)
    accuracy = {"accuracy": 100 * float(np.mean(gold_ids == predicted_ids))}
    if spans:
        *values, _ = span_scores(
            *_standard(gold, predicted), average="micro", zero_division=0, warn_for=()
        )
        names = ("precision", "recall", "f1")
        return accuracy | {name: 100 * float(v) for name, v in zip(names, values, strict=True)}
    labels = np.unique(gold_ids)
    macro_f1 = f1_score(gold_ids, predicted_ids, labels=labels, average="macro", zero_division=0)
    return accuracy | {"macro_f1": 100 * float(macro_f1)}


def class_table(gold: Strings, predicted: Strings, spans: bool) -> str:
    """Format precision, recall, F1 and support of each label, or of each span class.

    Args:
        gold: Correct tags.
        predicted: Predicted tags.
        spans: Whether the tags mark spans.

    Returns:
        The table: for plain tags the labels of the gold tags, for spans all classes, including
        those that were only predicted.
    """
    if spans:
        # Every tag but O is part of a span, even if ill-formed.
        tags = chain.from_iterable([*gold, *predicted])
        labels = sorted({tag[2:] for tag in tags if tag != "O"})
        columns = span_scores(*_standard(gold, predicted), zero_division=0)
    else:
        gold_ids, predicted_ids, names = _ids(gold, predicted)
        ids = np.unique(gold_ids)
        labels = [names[index] for index in ids]
        columns = precision_recall_fscore_support(
            gold_ids, predicted_ids, labels=ids, zero_division=0
        )
    rows = [
        [label, *(f"{100 * value:.2f}" for value in values), str(support)]
        for label, *values, support in zip(labels, *columns, strict=True)
    ]
    header = ["class" if spans else "label", "precision", "recall", "F1", "support"]
    return table(header, rows)


def seen_and_unseen(
    words: Strings, gold: Strings, predicted: Strings, known: Collection[str]
) -> dict[str, float]:
    """Compute the accuracy on words that occur in training, and on the others.

    Args:
        words: Words of each sentence.
        gold: Correct tags.
        predicted: Predicted tags.
        known: Words of the training sentences, spelled like `words`.

    Returns:
        `seen_accuracy`, `unseen_accuracy`, and `unseen_share` of the words; an accuracy over no
        words is left out.

    Example:
        >>> seen_and_unseen([["a", "b", "c", "a"]], [["X", "X", "Y", "Y"]], [["X"] * 4], {"a", "b"})
        {'seen_accuracy': 66.66..., 'unseen_accuracy': 0.0, 'unseen_share': 25.0}
    """
    known = frozenset(known)
    gold_ids, predicted_ids, _ = _ids(gold, predicted)
    seen = np.array([word in known for sentence in words for word in sentence])
    right = gold_ids == predicted_ids
    parts = {"seen_accuracy": right[seen], "unseen_accuracy": right[~seen]}
    accuracies = {name: 100 * float(np.mean(part)) for name, part in parts.items() if len(part)}
    return accuracies | {"unseen_share": 100 * float(np.mean(~seen))}


def confusions(words: Strings, gold: Strings, predicted: Strings, n: int = 10) -> str:
    """Format the most frequent errors.

    Args:
        words: Words of each sentence.
        gold: Correct tags.
        predicted: Predicted tags.
        n: Maximum number of rows.

    Returns:
        A table: both tags, count, share of all errors in percent, and the three words most often
        affected.

    Example:
        >>> print(confusions([["the", "dog"]], [["DET", "NOUN"]], [["DET", "VERB"]]))
        gold  predicted  count   share  words
        NOUN  VERB           1  100.00  dog
    """
    examples: dict[tuple[str, str], Counter[str]] = {}
    rows_of = (zip(*row, strict=True) for row in zip(words, gold, predicted, strict=True))
    for word, correct, guess in chain.from_iterable(rows_of):
        if correct != guess:
            examples.setdefault((correct, guess), Counter())[word] += 1
    if not examples:
        return "no errors"
    counts = {pair: count.total() for pair, count in examples.items()}
    errors = sum(counts.values())
    worst = sorted(counts, key=lambda pair: (-counts[pair], pair))[:n]
    frequent_words = [
        ", ".join(word for word, _ in examples[pair].most_common(3)) for pair in worst
    ]
    columns = [
        ["gold", *(correct for correct, _ in worst)],
        _left(["predicted", *(guess for _, guess in worst)]),
        ["count", *(str(counts[pair]) for pair in worst)],
        ["share", *(f"{100 * counts[pair] / errors:.2f}" for pair in worst)],
        _left(["words", *frequent_words]),
    ]
    header, *rows = zip(*columns, strict=True)
    return table(header, rows)


def align(gold_words: Sequence[str], system_words: Sequence[str]) -> list[tuple[int, int]]:
    """Pair the words of two tokenizations of a sentence that span the same characters.

    White space is ignored, as in the CoNLL 2018 shared task.

    Args:
        gold_words: Words of the sentence.
        system_words: Words of the same sentence, split differently.

    Returns:
        Index in `gold_words` and index in `system_words` of each pair.

    Raises:
        ValueError: If the characters differ.

    Example:
        >>> align(["I", "do", "n't", "know"], ["I", "don't", "know"])
        [(0, 0), (3, 2)]
    """
    gold, system = (["".join(w.split()) for w in words] for words in (gold_words, system_words))
    if "".join(gold) != "".join(system):
        raise ValueError(f"not the same characters: {' '.join(gold)!r} and {' '.join(system)!r}")
    index = {span: j for j, span in enumerate(_character_spans(system))}
    return [(i, index[span]) for i, span in enumerate(_character_spans(gold)) if span in index]


def raw_text_score(
    gold: Sequence[tuple[Sequence[str], Sequence[str]]],
    system: Sequence[tuple[Sequence[str], Sequence[str]]],
) -> dict[str, float]:
    """Score a system that splits the text into words itself, as the CoNLL 2018 shared task does.

    F1 = 2 correct / (gold + system), where gold and system are numbers of words.

    Args:
        gold: Words and tags of each sentence.
        system: Words and tags of the same sentences.

    Returns:
        `token_f1`: a word is correct if `align` pairs it; `tag_f1`: if its tag is correct, too.

    Raises:
        ValueError: If the numbers of sentences, or the characters of a sentence, differ.

    Example:
        >>> gold = ["ca", "n't", "go"], ["AUX", "PART", "VERB"]
        >>> raw_text_score([gold], [(["can't", "go"], ["X", "X"])])
        {'token_f1': 40.0, 'tag_f1': 0.0}
    """
    words = tokens = tags = 0
    for number, ((gold_words, gold_tags), (system_words, system_tags)) in enumerate(
        zip(gold, system, strict=True), start=1
    ):
        try:
            pairs = align(gold_words, system_words)
        except ValueError as error:
            raise ValueError(f"sentence {number}: {error}") from None
        words += len(gold_words) + len(system_words)
        tokens += len(pairs)
        tags += sum(gold_tags[i] == system_tags[j] for i, j in pairs)
    return {
        "token_f1": 200 * tokens / words if words else 0.0,
        "tag_f1": 200 * tags / words if words else 0.0,
    }


def baselines(
    train: Iterable[Sentence], sentences: Sequence[Sentence], restores: bool
) -> dict[str, list[list[str]]]:
    """Tag sentences without a model.

    `majority tag`: the most frequent tag. `most frequent tag of the word`: for an unseen word, the
    majority tag. `capital first, full stop last`, if the tags restore text: the case of the most
    frequent tag of the word, a capital at the beginning and a full stop at the end.

    Args:
        train: Sentences in which tags are counted.
        sentences: Sentences to tag.
        restores: Whether the tags are capitals and punctuation.

    Returns:
        Name of each baseline -> its tags of each sentence.
    """
    counts: dict[str, Counter[str]] = {}
    for sentence in train:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    majority = sum(counts.values(), Counter()).most_common(1)[0][0]
    tag_of_word = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    guesses = {
        "majority tag": [[majority] * len(sentence.words) for sentence in sentences],
        "most frequent tag of the word": [
            [tag_of_word.get(w, majority) for w in sentence.words] for sentence in sentences
        ],
    }
    if restores:
        guesses["capital first, full stop last"] = [
            _capital_and_full_stop(tags) for tags in guesses["most frequent tag of the word"]
        ]
    return guesses


def _capital_and_full_stop(tags: list[str]) -> list[str]:
    cases = [split_tag(tag)[0] for tag in tags]
    cases[0] = "UPPER" if cases[0] == "UPPER" else "Title"
    return [*cases[:-1], cases[-1] + "."]


def _ids(gold: Strings, predicted: Strings) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return flat tags as numbers, faster in scikit-learn, and the names of the numbers."""
    if list(map(len, gold)) != list(map(len, predicted)):
        raise ValueError("gold and predicted must have the same number of tags in each sentence")
    flat = [list(chain.from_iterable(tags)) for tags in (gold, predicted)]
    if not flat[0]:
        raise ValueError("there are no tags to score")
    names = sorted(set(chain(*flat)))
    ids = {name: index for index, name in enumerate(names)}
    gold_ids, predicted_ids = (np.array([ids[tag] for tag in tags]) for tags in flat)
    return gold_ids, predicted_ids, names


def _standard(*sides: Strings) -> list[list[list[str]]]:
    """Convert tags to lists with the letters of BIO and IOBES, which seqeval requires."""
    return [[[*map(standard, tags)] for tags in sentences] for sentences in sides]


def _character_spans(words: Iterable[str]) -> list[tuple[int, int]]:
    """Return the start and end of each word in the concatenated words."""
    return list(pairwise(accumulate(map(len, words), initial=0)))


def _left(column: list[str]) -> list[str]:
    """Pad cells to one width: a column of text in a table of numbers."""
    width = max(map(len, column))
    return [cell.ljust(width) for cell in column]
