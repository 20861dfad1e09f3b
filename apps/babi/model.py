"""The networks, which map facts and a question to the logits of the answers."""

import keras
from keras import layers

from apps.babi.config import Config
from apps.babi.data import Data
from apps.common.training.schedules import cosine_decay
from seqkit import RNN, LSTMCell
from seqkit.memory.dnc import DNCCell
from seqkit.memory.memory_network import MemoryNetwork


def build(config: Config, data: Data) -> keras.Model:
    """Build the compiled model, from word ids to logits (batch, answers).

    Its inputs are facts (batch, facts, words) and question (batch, words). The layer `memory` of
    the memory network also returns the attention.
    """
    facts = keras.Input((None, None), dtype="int32", name="facts")
    question = keras.Input((None,), dtype="int32", name="question")
    size = data.vocabulary.size
    if config.model == "memory_network":
        found, _ = MemoryNetwork(
            size,
            config.units,
            hops=config.hops,
            max_facts=config.max_facts,
            return_attention=True,
            name="memory",
        )(facts, question)
    else:
        words = layers.Concatenate(axis=1)([layers.Reshape((-1,))(facts), question])
        cell = DNCCell(
            LSTMCell(config.units), config.memory_size, config.word_size, config.num_reads
        )
        found = RNN(cell, name="rnn")(layers.Embedding(size, config.units, mask_zero=True)(words))
    answers = len(data.vocabulary.answers)
    logits = layers.Dense(answers, dtype="float32", name="logits")(found)
    model = keras.Model([facts, question], logits, name="babi")
    schedule = cosine_decay(config, data.steps_per_epoch)
    model.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=config.clip_norm),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=config.jit,
    )
    return model
