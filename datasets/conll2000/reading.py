"""CoNLL-2000: prepared once by TensorFlow Datasets (TFDS), then read from disk."""

from datasets.formats.columns import Sentence
from datasets.preparation import Source, examples, prepare
from datasets.splits import Split, hold_out

SOURCE = Source(
    "conll2000",
    "https://github.com/teropa/nlp/raw/master/resources/corpora/conll2000/",
    "conll2000",
    ("train.txt", "test.txt"),
)
AUXILIARY = ("pos",)  # auxiliary columns of a sentence
DEV_SENTENCES = 1000
DEV_SEED = 2000


def read_conll2000(split: Split) -> list[Sentence]:
    """Read a split of CoNLL-2000.

    Args:
        split: `train`, `dev` or `test`. The published data have no dev split: 1,000 sentences of
            train, drawn with a fixed seed, are held out.

    Returns:
        Sentences with chunks in BIO as tags and parts of speech as the auxiliary column, in the
        order of the files.

    Raises:
        DataError: If the files cannot be downloaded or differ from the published ones.
    """
    from datasets.conll2000 import conll2000_dataset_builder

    builder = prepare(SOURCE, conll2000_dataset_builder.Builder)
    pos, chunks = (builder.info.features[key].feature.names for key in ("pos", "chunks"))
    sentences = [
        Sentence(
            words=[token.decode() for token in example["tokens"]],
            tags=[chunks[tag] for tag in example["chunks"]],
            auxiliary=([pos[tag] for tag in example["pos"]],),
        )
        for example in examples(builder, "test" if split == "test" else "train")
    ]
    if split == "test":
        return sentences
    dev = hold_out(range(len(sentences)), DEV_SENTENCES, DEV_SEED)
    return [s for i, s in enumerate(sentences) if (i in dev) == (split == "dev")]
