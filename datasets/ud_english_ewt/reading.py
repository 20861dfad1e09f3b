"""UD English-EWT r2.10: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

import ast
import functools

from datasets.formats.columns import Sentence
from datasets.preparation import Source, examples, prepare
from datasets.splits import Split

SOURCE = Source(
    "ud_english_ewt",
    "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.10/",
    "ud_english_ewt/r2.10",
    ("en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"),
)
AUXILIARY = ("xpos", "feats")  # auxiliary columns of a sentence


def read_ewt(split: Split) -> list[Sentence]:
    """Read a split of UD English-EWT.

    Args:
        split: `train`, `dev` or `test`.

    Returns:
        Sentences with UPOS tags, the auxiliary columns XPOS and features (in the notation of
        CoNLL-U), and the text, in TFDS's shuffled order, which is the same on every machine.

    Raises:
        DataError: If the files cannot be downloaded or differ from the published ones.
    """
    import tensorflow_datasets as tfds

    builder = prepare(SOURCE, tfds.builder, name="universal_dependencies/en_ewt")
    upos = builder.info.features["upos"].feature.names
    sentences = []
    for example in examples(builder, split):
        tokens = zip(
            *(example[key] for key in ("head", "tokens", "upos", "xpos", "feats")), strict=True
        )
        # Multiword tokens and empty nodes are not words; they have no head.
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


@functools.cache
def _features(value: str) -> str:
    """Convert features from a Python dictionary, TFDS's notation, to that of CoNLL-U.

    Example:
        >>> _features("{'Number': 'Sing', 'Person': '3'}"), _features("None")
        ('Number=Sing|Person=3', '_')
    """
    features = ast.literal_eval(value) or {}
    return "|".join(f"{key}={value}" for key, value in features.items()) or "_"
