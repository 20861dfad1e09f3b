"""Benchmarks that papers report, as sentences with tags; `datasets.preparation` says whence."""

import ast
import functools
import os
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

from datasets.formats.columns import Sentence
from datasets.formats.lines import DataError
from datasets.preparation import DATA_DIR, Source, prepared

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

Name = Literal["ud_english_ewt", "conll2000"]
Split = Literal["train", "dev", "test"]

SOURCES = {
    "ud_english_ewt": Source(
        "ud_english_ewt",
        "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.10/",
        "ud_english_ewt/r2.10",
        ("en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"),
    ),
    "conll2000": Source(
        "conll2000",
        "https://github.com/teropa/nlp/raw/master/resources/corpora/conll2000/",
        "conll2000",
        ("train.txt", "test.txt"),
    ),
}
AUXILIARY = {"ud_english_ewt": ("xpos", "feats"), "conll2000": ("pos",)}  # columns of a Sentence
DEV_SENTENCES = 1000  # of CoNLL-2000, which has no dev split
DEV_SEED = 2000


def read_benchmark(name: Name, split: Split) -> list[Sentence]:
    """Read a split of a benchmark.

    Args:
        name: `ud_english_ewt`: Universal Dependencies English EWT r2.10, tags UPOS, auxiliary XPOS
            and features as CoNLL-U writes them, with the text; in TFDS's shuffled order, which is
            the same everywhere.
            `conll2000`: tags are chunks in BIO, auxiliary is the part of speech. It has no dev
            split: 1,000 sentences of train, chosen by a fixed seed, are held out.
        split: `train`, `dev` or `test`.

    Returns:
        The sentences.

    Raises:
        DataError: no such benchmark or split; or the files can't be downloaded, or are others
            than those published.
    """
    if name not in get_args(Name) or split not in get_args(Split):
        raise DataError(
            f"no benchmark {name!r} with a split {split!r}; there are "
            f"{', '.join(get_args(Name))} with {', '.join(get_args(Split))}"
        )
    if name == "ud_english_ewt":
        return _read_ewt(split)
    sentences = _read_conll2000("test" if split == "test" else "train")
    if split == "test":
        return sentences
    # Of `random`, `random()` alone is promised to draw the same in every version of Python.
    draw = random.Random(DEV_SEED).random
    held_out = set(sorted(range(len(sentences)), key=lambda _: draw())[:DEV_SENTENCES])
    return [s for i, s in enumerate(sentences) if (i in held_out) == (split == "dev")]


def _read_ewt(split: str) -> list[Sentence]:
    builder = _prepared("ud_english_ewt")
    upos = builder.info.features["upos"].feature.names
    sentences = []
    for example in _examples(builder, split):
        tokens = zip(
            *(example[key] for key in ("head", "tokens", "upos", "xpos", "feats")), strict=True
        )
        # Multiword tokens and empty nodes, which are no words, have no head.
        words = [token for head, *token in tokens if head.isdigit()]
        forms, tags, xpos, feats = map(list, zip(*words, strict=True))
        sentences.append(
            Sentence(
                words=[form.decode() for form in forms],
                tags=[upos[tag] for tag in tags],
                auxiliary=([tag.decode() for tag in xpos], [_features(f.decode()) for f in feats]),
                text=example["text"].decode(),
            )
        )
    return sentences


def _read_conll2000(split: str) -> list[Sentence]:
    builder = _prepared("conll2000")
    pos, chunks = (builder.info.features[key].feature.names for key in ("pos", "chunks"))
    return [
        Sentence(
            words=[token.decode() for token in example["tokens"]],
            tags=[chunks[tag] for tag in example["chunks"]],
            auxiliary=([pos[tag] for tag in example["pos"]],),
        )
        for example in _examples(builder, split)
    ]


def _examples(builder: "tfds.core.DatasetBuilder", split: str) -> Iterator[dict]:
    # In batches, since TFDS takes as long for one as for an example.
    for batch in builder.as_dataset(split=split).ragged_batch(1000):
        for example in zip(*(value.numpy() for value in batch.values()), strict=True):
            yield dict(zip(batch, example, strict=True))


@functools.cache
def _features(written: str) -> str:
    """Write features as CoNLL-U does: TFDS writes them as a Python dictionary.

    Example:
        >>> _features("{'Number': 'Sing', 'Person': '3'}"), _features("None")
        ('Number=Sing|Person=3', '_')
    """
    features = ast.literal_eval(written) or {}
    return "|".join(f"{key}={value}" for key, value in features.items()) or "_"


def _prepared(name: str) -> "tfds.core.DatasetBuilder":
    """The builder of a benchmark, which TFDS has prepared."""
    import tensorflow_datasets as tfds

    from datasets.conll2000 import conll2000_dataset_builder

    data_dir = os.environ.get(DATA_DIR)
    if name == "conll2000":
        builder = conll2000_dataset_builder.Builder(data_dir=data_dir)
    else:
        builder = tfds.builder("universal_dependencies/en_ewt", data_dir=data_dir)
    return prepared(builder, SOURCES[name])
