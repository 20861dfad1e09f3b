"""The exports: signatures, notes of the model cards, golden inputs."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.batching import pad
from apps.common.files import read_sibling
from apps.common.run_folder import load_model
from apps.common.text import TEXT
from apps.tagger import NAME
from apps.tagger import model as _model  # noqa: F401 (registers the layers of model.keras)
from apps.tagger.config import Config, examples
from apps.tagger.served import ServedTagger
from apps.tagger.vocabulary import FILE as VOCABULARY
from apps.tagger.vocabulary import Vocabulary
from datasets.card import load_card
from seqkit.export import Signature

IDS_SHAPE = 16, 64  # batch and length of the export with static shapes
LABELS = "labels.txt"


def export(config: Config, run: Path) -> list[Export]:
    """Describe the exports of a run folder: its best model so far."""
    vocabulary = Vocabulary.read(run)
    module = ServedTagger(load_model(run), vocabulary, config)
    facts = config.export_facts(config.dataset)
    title, case = load_card(config.dataset).title, ""
    text = "split into words as in UD English; the answer gives each word with its tag, `word/TAG`."
    if config.train_file:
        title = "Sequence tagger"
        facts["data"] += f" ({len(vocabulary.tags)} tags)"
    elif config.restores:
        title, case = "Capitals and punctuation restored", " Give them in lower case."
        text = "capitals and punctuation of the input are ignored; the answer has predicted ones."
    facts |= {"title": title}
    extra = {VOCABULARY: (run / VOCABULARY).read_bytes()}
    return [
        Export(
            name=NAME,
            module=module,
            signatures=_signatures(module),
            examples=_examples(config, vocabulary),
            notes=read_sibling(__file__, "notes.md").format(text=text, case=case),
            extra=extra,
            **facts,
        ),
        Export(
            name=f"{NAME}_ids",
            module=module.model,
            signatures=_signatures_of_ids(module),
            examples=_examples_of_ids(module, vocabulary),
            notes=read_sibling(__file__, "notes_ids.md"),
            extra={**extra, LABELS: "\n".join(module.labels) + "\n"},
            **facts,
        ),
    ]


def _signatures(module: ServedTagger) -> dict[str, Signature]:
    words = tf.TensorSpec([None, None], tf.string)
    return {
        "serving_default": Signature(lambda text: module.tag_text(text), {"text": TEXT}),
        "words": Signature(lambda words: module.tag_words(words), {"words": words}),
        "n_best": Signature(
            lambda text, n: module.n_best(text, n), {"text": TEXT, "n": tf.TensorSpec([], tf.int32)}
        ),
    }


def _signatures_of_ids(module: ServedTagger) -> dict[str, Signature]:
    inputs = {
        name: tf.TensorSpec((*IDS_SHAPE, *tensor.shape[2:]), tf.int32)
        for name, tensor in module.model.input.items()
    }
    return {"serving_default": Signature(lambda **ids: module.tag_ids(**ids), inputs)}


def _examples(config: Config, vocabulary: Vocabulary) -> dict[str, list[dict[str, np.ndarray]]]:
    """Return golden inputs: plain sentences, known words, and edge cases."""
    sentences = examples(config)
    known = vocabulary.words[:40]
    texts = [[sentences[0]], [*sentences, "", "  "], [" ".join(known)], ["Zyx, (qwv) don't!", "ab"]]
    words = [[sentence.split() for sentence in sentences], [known, ["zyx"], []]]
    return {
        "serving_default": [{"text": np.array(text, object)} for text in texts],
        "words": [{"words": pad(sentences, "")} for sentences in words],
        "n_best": [{"text": np.array(text, object), "n": np.int32(3)} for text in texts],
    }


def _examples_of_ids(module: ServedTagger, vocabulary: Vocabulary) -> dict[str, list]:
    batch, length = IDS_SHAPE
    words = np.full(IDS_SHAPE, "", object)
    for row in range(batch):
        known = vocabulary.words[row * length : row * length + length - row]
        words[row, : len(known)] = known
    ids = module.features(tf.constant(words, tf.string))
    return {"serving_default": [{name: tensor.numpy() for name, tensor in ids.items()}]}
