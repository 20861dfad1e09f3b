"""Operations on text that exports contain."""

import tensorflow as tf

TEXT = tf.TensorSpec([None], tf.string)  # argument of a signature: a batch of texts


def valid_utf8(text: tf.Tensor) -> tf.Tensor:
    r"""Replace bytes that are not UTF-8 by U+FFFD.

    Example:
        >>> valid_utf8(tf.constant([b"caf\xe9"])).numpy()[0].decode()
        'caf\ufffd'
    """
    return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")


def lower(text: tf.Tensor) -> tf.Tensor:
    """Convert text to lower case, in any alphabet.

    Example:
        >>> lower(tf.constant(["Ärger"])).numpy()[0].decode()
        'ärger'
    """
    return tf.strings.lower(text, encoding="utf-8")
