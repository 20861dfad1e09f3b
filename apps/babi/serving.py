"""What an export answers: facts and a question as text, the answer as a word."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.babi import NAME
from apps.babi import model as _model  # noqa: F401 (registers the layers that load_model meets)
from apps.babi.config import Config, examples
from apps.babi.sentences import FILE, Vocabulary, split_sentences, split_words
from apps.common.app import Export
from apps.common.commands import load_model
from apps.common.own_files import facts_of_own_files
from seqkit.export import Signature

_NAMES = {"memory_network": "memory network", "dnc": "differentiable neural computer"}
_NOTES = """
## Behaviour

- `facts`: the story as one text. A sentence ends with `.`, `!` or `?`, or with the line. The last
  {max_facts} are read; the answer has them as `facts`, filled up with empty strings.
- `question`: one sentence. `answer` is one of {answers} that training gave, with its
  `probability`.{attention}
- Upper and lower case are the same, and punctuation is ignored. A word that training didn't have is
  an unknown word. There may be no facts.
- What else is in the batch changes no answer.
- Error: a question without a word.
"""
_ATTENTION = """ `attention` (batch, hops, facts) says how much each fact was looked at in
  each hop; the weights of a hop sum to one, without facts to zero."""


def export(config: Config, run: Path) -> list[Export]:
    """Say what is exported of a run folder: the best model so far.

    Raises:
        UserError: the folder has no model yet, or is damaged.
    """
    vocabulary = Vocabulary.read(run)
    reader = Reader(load_model(run), vocabulary, config)
    text = tf.TensorSpec([None], tf.string)
    signature = Signature(
        lambda facts, question: reader.answer(facts, question), {"facts": text, "question": text}
    )
    if config.train_file:
        facts = facts_of_own_files(config)
    else:
        facts = {
            "data": "bAbI 1.1, English, 20 tasks with 1,000 questions each (Weston et al. 2015), "
            "CC BY 3.0",
            "licence": "Apache-2.0; data CC BY 3.0",
            "splits": ("dev", "test"),
        }
    return [
        Export(
            name=NAME,
            module=reader,
            signatures={"serving_default": signature},
            examples={"serving_default": _examples(config)},
            title=f"Answers to questions about short stories ({_NAMES[config.model]})",
            notes=_NOTES.format(
                max_facts=config.max_facts,
                answers=len(vocabulary.answers),
                attention=_ATTENTION if reader.attends else "",
            ),
            extra={FILE: vocabulary.text},
            **facts,
        )
    ]


class Reader(tf.Module):
    """A model with its vocabulary: text in, text out, by core TensorFlow operations.

    Args:
        model: ids of facts (batch, facts, words) and question (batch, words) to logits.
        vocabulary: of the model.
        config: of the model.
    """

    def __init__(self, model: keras.Model, vocabulary: Vocabulary, config: Config) -> None:
        super().__init__()
        self.attends = config.model == "memory_network"
        outputs = {"logits": model.output}
        if self.attends:
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
        with tf.control_dependencies(
            [
                tf.debugging.Assert(rows[0] == rows[1], ["facts and question differ in rows"]),
                tf.debugging.Assert(
                    tf.reduce_all(words.row_lengths() > 0), ["question: has no word"]
                ),
            ]
        ):
            question_ids = self.lookup(words.to_tensor())
        facts_ids = self.lookup(
            sentences.with_flat_values(split_words(sentences.flat_values)).to_tensor()
        )
        told = self.model([facts_ids, question_ids], training=False)
        probabilities = tf.nn.softmax(told["logits"])
        answer = {
            "answer": tf.gather(self.answers, tf.argmax(probabilities, axis=-1)),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "facts": sentences.to_tensor(),
        }
        return {**answer, "attention": told["attention"]} if self.attends else answer


def split_question(text: str) -> tuple[str, str]:
    """Take the last sentence of a text as the question.

    Example:
        >>> split_question("It rains. Is it wet?")
        ('It rains.', 'Is it wet?')
    """
    sentences = [s.decode() for s in split_sentences(tf.constant([text])).flat_values.numpy()]
    return "\n".join(sentences[:-1]), "".join(sentences[-1:])


def _examples(config: Config) -> list[dict[str, np.ndarray]]:
    """Golden inputs: one at a time, together, and a question alone."""
    pairs = [*map(split_question, examples(config)), ("", "Where is Mary?")]
    chosen = ([0], [1], [0, 1, 2])
    return [
        {
            "facts": np.array([pairs[i][0] for i in rows], object),
            "question": np.array([pairs[i][1] for i in rows], object),
        }
        for rows in chosen
    ]
