"""The functions of an export, which tag text, words or ids with core TensorFlow operations."""

import keras
import tensorflow as tf

from apps.common.text import lower, valid_utf8
from apps.tagger.config import Config
from apps.tagger.data import input_names
from apps.tagger.decoding import best_tags, n_best, tag_probabilities
from apps.tagger.features import Features
from apps.tagger.restoration import WORD_RE2
from apps.tagger.tokenizer import tokenize
from apps.tagger.vocabulary import PADDING, Vocabulary

CHUNK = 16  # sentences that are tagged at a time


class ServedTagger(tf.Module):
    """A trained model with its vocabulary.

    Args:
        model: Model from a dict of ids (batch, length, ...) to a dict of scores, including `tags`.
        vocabulary: Vocabulary of the model.
        config: Configuration of the model.
    """

    def __init__(self, model: keras.Model, vocabulary: Vocabulary, config: Config) -> None:
        super().__init__()
        names = input_names(config)
        inputs = {name: model.input[name] for name in names}
        self.model = keras.Model(inputs, model.output["tags"])  # without the auxiliary targets
        self.features = Features(vocabulary, names)
        self.restores = config.restores
        # In the user's span scheme two tags of the model may have the same name.
        self.labels = sorted(set(vocabulary.answers))
        self.label_of_tag = tf.constant([self.labels.index(tag) for tag in vocabulary.answers])

    def tag_ids(self, **ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tag word ids; return the index of each label, and its probability."""
        scores = self.model(ids, training=False)
        is_word = ids["words"] != PADDING
        labels = tf.gather(self.label_of_tag, best_tags(scores))
        merge = tf.one_hot(self.label_of_tag, len(self.labels))
        probabilities = tf.gather(
            tf.linalg.matmul(tag_probabilities(scores), merge), labels, batch_dims=2
        )
        return {
            "tags": tf.where(is_word, labels, 0),
            "probabilities": tf.where(is_word, tf.minimum(probabilities, 1.0), 0.0),
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
        """Apply `tag_ids` to a few sentences of similar length at a time.

        In unsorted batches, two thirds of the steps would be padding.
        """
        batch, length = tf.unstack(tf.shape(words))
        chunks = -(-batch // CHUNK)
        rows = -(-batch // tf.maximum(chunks, 1))
        order = tf.argsort(lengths)
        # The last chunk is padded with the longest sentence.
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
            "log_probabilities": log_probabilities,
            "lengths": _lengths(real),
        }

    def _split(self, text: tf.Tensor) -> tf.Tensor:
        words = tf.strings.split(split_restoration(text)) if self.restores else tokenize(text)
        return words.to_tensor("")


def split_restoration(text: tf.Tensor) -> tf.Tensor:
    """Find the words in the graph, as `restoration.annotate` does, and join them with spaces."""
    text = tf.strings.regex_replace(lower(valid_utf8(text)), "'", "’")
    return tf.strings.regex_replace(text, f"(?s)({WORD_RE2})|.", r"\1 ")


def restore(words: tf.Tensor, tags: tf.Tensor) -> tf.Tensor:
    """Apply tags in the graph as `restoration.restore` does, word by word."""
    replace = tf.strings.regex_replace
    upper = replace(tf.strings.upper(words, encoding="utf-8"), "’S$", "’s")
    first = tf.strings.upper(replace(words, r"(?s)^(.?).*$", r"\1"), encoding="utf-8")
    title = first + replace(words, r"(?s)^.", "")
    case = replace(tags, r"\W*$", "")
    mark = replace(tags, r"^\w*", "")
    cased = tf.where(case == "UPPER", upper, tf.where(case == "Title", title, words))
    return cased + mark


def _real(words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the words up to the first empty one of each row, and their mask.

    One step of padding is added: a batch of empty sentences has no words at all.
    """
    words = tf.pad(words, [[0, 0], [0, 1]])
    real = tf.math.cumprod(tf.cast(words != "", tf.int32), axis=1) > 0
    return tf.where(real, words, ""), real


def _lengths(real: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(real, tf.int32), axis=1)
