"""The function of an export, as a tf.Module: text in, text out, with core TensorFlow operations."""

import keras
import tensorflow as tf

from apps.babi.config import Config
from apps.babi.sentences import UNKNOWN, Vocabulary, split_sentences, split_words
from apps.common.answers import require


class QuestionAnswerer(tf.Module):
    """A trained model with its vocabulary.

    Args:
        model: Model from word ids of facts (batch, facts, words) and question (batch, words) to
            logits.
        vocabulary: Vocabulary of the model.
        config: Configuration of the model.
    """

    def __init__(self, model: keras.Model, vocabulary: Vocabulary, config: Config) -> None:
        super().__init__()
        self.has_attention = config.model == "memory_network"
        outputs = {"logits": model.output}
        if self.has_attention:
            outputs["attention"] = model.get_layer("memory").output[1]
        self.model = keras.Model(model.inputs, outputs)
        self.lookup = vocabulary.lookup()
        self.answers = tf.constant(vocabulary.answers)
        self.max_facts = config.max_facts

    def answer(self, facts: tf.Tensor, question: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answer questions (batch,) about facts (batch,)."""
        rows = tf.stack([tf.size(facts), tf.size(question)])
        words = split_words(question)
        sentences = split_sentences(facts)[:, -self.max_facts :]
        with (
            require(rows[0] == rows[1], "facts and question must have the same number of rows"),
            require(words.row_lengths() > 0, "question: contains no words"),
        ):
            question_ids = self.lookup(words.to_tensor())
        facts_ids = self.lookup(
            sentences.with_flat_values(split_words(sentences.flat_values)).to_tensor()
        )
        asked = split_words(tf.strings.join([facts, question], " "))
        outputs = self.model([facts_ids, question_ids], training=False)
        probabilities = tf.nn.softmax(outputs.pop("logits"))
        return {
            "answer": tf.gather(self.answers, tf.argmax(probabilities, axis=-1)),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "facts": sentences.to_tensor(),
            "unknown": tf.ragged.boolean_mask(asked, self.lookup(asked) == UNKNOWN).to_tensor(),
            **outputs,
        }
