"""Features of words as ids, from the same TensorFlow operations in training and exports."""

import tensorflow as tf

from apps.common.text import lower
from apps.tagger.vocabulary import PADDING, UNKNOWN, Vocabulary, normalize

CHARACTERS = 16  # per word: longer words lose their middle
CASINGS = 6

# The first pattern that matches the whole word has casing id 2, and so on; 1 is everything else.
_CASING = (
    r"[^\p{L}]*\p{Nd}.*",  # number
    r"[^\p{Lu}\p{Lt}]*\p{Ll}[^\p{Lu}\p{Lt}]*",  # lower
    r"[\p{Lu}\p{Lt}][^\p{Lu}\p{Lt}]*",  # Title
    r"[^\p{Ll}]*\p{Lu}[^\p{Ll}]*",  # UPPER
)


def casing(words: tf.Tensor) -> tf.Tensor:
    """Return the casing of words: 0 for an empty one, otherwise 1 to 5.

    Example:
        >>> casing(tf.constant(["", "eBay", "15-year", "dog", "Dog", "NATO"])).numpy().tolist()
        [0, 1, 2, 3, 4, 5]
    """
    ids = tf.where(words == "", 0, 1)
    for index, pattern in reversed(list(enumerate(_CASING, start=2))):
        ids = tf.where(tf.strings.regex_full_match(words, f"(?s){pattern}"), index, ids)
    return ids


def spell(words: tf.Tensor) -> tf.Tensor:
    """Split words (n,) into code points (n, CHARACTERS), padded with zeros."""
    points = tf.strings.unicode_decode(words, "UTF-8", errors="replace")
    half = CHARACTERS // 2
    ends = tf.concat([points[:, :half], points[:, half:][:, -half:]], axis=1)
    return ends.to_tensor(0, shape=(None, CHARACTERS))


class Features(tf.Module):
    """Conversion of words of any shape to ids: `words`, `vectors`, `casing`, `characters`.

    Padding is the empty word; its ids are 0.

    Args:
        vocabulary: Vocabulary of the model.
        names: Inputs of the model.
    """

    def __init__(self, vocabulary: Vocabulary, names: list[str]) -> None:
        super().__init__()
        self.names = names
        self.words = _table({"": PADDING, **vocabulary.word_ids()}, tf.string)
        self.vectors = _table({"": PADDING, **vocabulary.vector_ids()}, tf.string)
        self.characters = _table({0: PADDING, **vocabulary.character_ids()}, tf.int32)

    def __call__(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        distinct, index = tf.unique(tf.reshape(words, [-1]))
        features = {}
        if "words" in self.names:
            features["words"] = self.words.lookup(normalize(distinct))
        if "vectors" in self.names:
            features["vectors"] = self.vectors.lookup(lower(distinct))
        if "casing" in self.names:
            features["casing"] = casing(distinct)
        if "characters" in self.names:
            features["characters"] = self.characters.lookup(spell(distinct))
        shape = tf.shape(words)
        return {
            name: tf.reshape(tf.gather(ids, index), tf.concat([shape, tf.shape(ids)[1:]], 0))
            for name, ids in features.items()
        }


def _table(ids: dict, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    keys = tf.constant(list(ids), dtype)
    values = tf.constant(list(ids.values()), tf.int32)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN)
