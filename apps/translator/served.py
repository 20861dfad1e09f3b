"""The functions of an export, as a tf.Module: raw text in, raw text out."""

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from apps.common.text import lower, valid_utf8
from apps.translator.config import Config
from apps.translator.model import SEQUENCE, encoder_of
from apps.translator.subwords import BOS, EOS, PAD, Subwords
from seqkit.decoding import Decoded, beam_search, greedy, per_token, sample, score
from seqkit.diagnostics import exposure_bias

MAX_SOURCE_LENGTH = 200  # pieces; longer sentences are cut


class Translator(tf.Module):
    """A trained model with its pieces.

    Args:
        model: Model of `apps.translator.model.network`.
        subwords: Pieces of the model.
        config: Configuration of the model.
    """

    def __init__(self, model: keras.Model, subwords: Subwords, config: Config) -> None:
        super().__init__()
        self.model = model
        self.encoder, self.decoder = encoder_of(model), model.get_layer("decoder")
        self.config = config
        # Without names, a loaded SavedModel would use the first tokenizer for both sides.
        self.source_pieces = tf_text.SentencepieceTokenizer(subwords.source, name="source_pieces")
        self.target_pieces = (
            self.source_pieces
            if subwords.target == subwords.source
            else tf_text.SentencepieceTokenizer(subwords.target, name="target_pieces")
        )

    def translate(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translate sentences (batch,) by beam search."""
        source, cut = self.encode(text)
        best = self.search(source, num_results=1).best()
        attention = _trim(best.attention, best)
        return {**self._answer(source, best), "attention": attention, "cut": cut}

    def n_best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return all translations in the beam, (batch, beams), of sentences (batch,)."""
        source, cut = self.encode(text)
        found = self.search(source, num_results=self.config.num_beams)
        batch, beams = tf.shape(found.lengths)[0], self.config.num_beams
        tokens = tf.reshape(found.tokens, (batch * beams, self.config.max_length))
        translations = self.decode(tokens, tf.reshape(found.lengths, (batch * beams,)))
        return {
            "translations": tf.reshape(translations, (batch, beams)),
            "scores": found.scores,
            "log_likelihoods": found.log_likelihoods,
            "cut": cut,
        }

    def greedy(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translate sentences (batch,) by the most probable piece at each step."""
        source, cut = self.encode(text)
        return {**self._answer(source, self.greedy_search(source, drop_ended=True)), "cut": cut}

    def sample(
        self, text: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Draw a translation of each sentence (batch,); seed (2,), temperature ()."""
        source, cut = self.encode(text)
        found = sample(
            self.decoder.step,
            *self.start(source),
            max_length=self.config.max_length,
            **SEQUENCE,
            seed=seed,
            temperature=temperature,
        )
        return {**self._answer(source, _blank_empty_sentences(source, found)), "cut": cut}

    def score(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """Compute the probability of translations (batch,) of sentences (batch,)."""
        ids, mask = self._encode_target(target)
        source, cut = self.encode(source)
        found = score(self.decoder.step, ids, *self.start(source), bos_id=BOS, mask=mask)
        return {
            "pieces": tf.where(mask, self.target_pieces.id_to_string(ids), ""),
            "log_probabilities": found.log_probabilities,
            "log_likelihoods": found.log_likelihoods,
            "lengths": _count(mask),
            "cut": cut,
        }

    def exposure_bias(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """Score translations (batch,) after gold prefixes and after the decoder's own."""
        ids, mask = self._encode_target(target)
        start = self.start(self.encode(source)[0])
        found = exposure_bias(self.decoder.step, ids, *start, bos_id=BOS, mask=mask)
        return {**found._asdict(), "lengths": _count(mask)}

    def encode(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Split sentences (batch,) into ids (batch, length); also return which were cut."""
        ids = self.source_pieces.tokenize(self._normalize(text))
        cut = ids.row_lengths() > MAX_SOURCE_LENGTH
        ids = ids[:, :MAX_SOURCE_LENGTH].to_tensor(PAD)
        # The network requires at least one step, even if it is padding.
        return tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]]), cut

    def decode(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Join the pieces (batch, length) of translations."""
        ids = tf.RaggedTensor.from_tensor(tokens, lengths)
        return self.target_pieces.detokenize(tf.ragged.boolean_mask(ids, ids != EOS))

    def start(self, source: tf.Tensor) -> tuple:
        """Return the decoder's initial state and constants for sources (batch, length)."""
        return self.decoder.prepare(source, *self.encoder(source, training=False))

    def search(self, source: tf.Tensor, num_results: int) -> Decoded:
        """Search for translations of sources (batch, length) with a beam."""
        found = beam_search(
            self.decoder.step,
            *self.start(source),
            num_beams=self.config.num_beams,
            num_results=num_results,
            max_length=self.config.max_length,
            length_limits=self.length_limits(source),
            repeat_constants=not self.decoder.shares_memory,
            **SEQUENCE,
            length_penalty=per_token,
            attention=self.decoder.cell.attention_weights,
            drop_ended=True,
        )
        return _blank_empty_sentences(source, found)

    def length_limits(self, source: tf.Tensor) -> tf.Tensor:
        """Return how many pieces a translation may have, with EOS: those of a training pair.

        Pairs whose target has more than max_ratio times the pieces of the source are left out.
        """
        pieces = tf.cast(_count(source != PAD), tf.float32)
        return tf.cast(self.config.max_ratio * pieces, tf.int32) + 1

    def greedy_search(self, source: tf.Tensor, drop_ended: bool = False) -> Decoded:
        """Search greedily; with drop_ended, the batch size of the source must be dynamic."""
        found = greedy(
            self.decoder.step,
            *self.start(source),
            max_length=self.config.max_length,
            **SEQUENCE,
            drop_ended=drop_ended,
        )
        return _blank_empty_sentences(source, found)

    def _encode_target(self, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Split translations (batch,) into ids that end with EOS, and their mask."""
        ids = self.target_pieces.tokenize(self._normalize(target))
        ids = tf.concat([ids, tf.fill((ids.nrows(), 1), EOS)], axis=1)
        return ids.to_tensor(PAD), tf.sequence_mask(ids.row_lengths())

    def _normalize(self, text: tf.Tensor) -> tf.Tensor:
        text = valid_utf8(text)
        return lower(text) if self.config.lowercase else text

    def _answer(self, source: tf.Tensor, found: Decoded) -> dict[str, tf.Tensor]:
        tokens = _trim(found.tokens, found)
        mask = tf.sequence_mask(found.lengths)
        return {
            "translation": self.decode(found.tokens, found.lengths),
            "scores": found.scores,
            "pieces": tf.where(mask, self.target_pieces.id_to_string(tokens), ""),
            "lengths": found.lengths,
            "source_pieces": tf.where(source != PAD, self.source_pieces.id_to_string(source), ""),
        }


def _blank_empty_sentences(source: tf.Tensor, found: Decoded) -> Decoded:
    """Give empty sources an empty translation with log-probability 0."""
    real = tf.reduce_any(source != PAD, axis=1)
    real = tf.reshape(real, (-1, *[1] * (len(found.lengths.shape) - 1)))
    return found._replace(
        lengths=tf.where(real, found.lengths, 0),
        tokens=tf.where(real[..., None], found.tokens, PAD),
        log_likelihoods=tf.where(real, found.log_likelihoods, 0.0),
        scores=tf.where(real, found.scores, 0.0),
    )


def _trim(array: tf.Tensor, found: Decoded) -> tf.Tensor:
    """Drop the steps (batch, step, ...) after the longest translation."""
    return array[:, : tf.reduce_max(found.lengths)]


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
