"""The exports: signatures, notes of their model cards, golden inputs."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.run_folder import load_model
from apps.translator import NAME
from apps.translator.config import Config, examples
from apps.translator.served import MAX_SOURCE_LENGTH, Translator
from apps.translator.subwords import SOURCE_FILE, TARGET_FILE, Subwords
from datasets.card import load_card
from datasets.translation import direction
from seqkit.export import Signature

IDS_SHAPE = 8, 32  # batch and source length of the export with static shapes

_NOTES = f"""
## Behavior

- `text`: one sentence per row. {{case}}Bytes that are not UTF-8 are read as white space. An empty
  sentence has an empty translation. A sentence of more than {MAX_SOURCE_LENGTH} pieces is cut to
  its beginning; `cut` marks it. A translation has at most {{max_length}} pieces, the last of which
  is `</s>` unless the translation is incomplete.
- `serving_default` searches with a beam of {{num_beams}}. `scores` are log-likelihoods divided by
  the number of pieces. `attention` is the weight of each source piece for each piece. `n_best`
  returns {{num_beams}} translations, best first. `greedy` takes the most probable piece at each
  step and is the fastest.
- `sample` draws translations at random: `seed` is two integers, `temperature` is above 0 (1: the
  probabilities of the model). The same seed gives the same translations.
- `score` returns the log-probabilities of given translations, of each piece and in total.
  `exposure_bias` returns loss and accuracy of each piece of given translations, after gold prefixes
  (`forced`) and after the model's own (`free`).
"""

_IDS_NOTES = """
## Behavior

Core operations and static shapes only: it compiles with XLA, and runs where strings are not
available. `source` holds ids of the SentencePiece model `assets.extra/source.model`, padded with 0;
`tokens` are ids of `assets.extra/target.model`, with 3 at the end, then 0. Greedy search.
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


def export(config: Config, run: Path) -> list[Export]:
    """Describe the exports of a run folder: its best model so far, for text and for ids.

    Raises:
        UserError: If the folder has no model yet, or is damaged.
    """
    subwords = Subwords.read(run)
    translator = Translator(load_model(run), subwords, config)
    notes = _NOTES.format(
        case="It is converted to lower case, as is the translation. " if config.lowercase else "",
        num_beams=config.num_beams,
        max_length=config.max_length,
    )
    facts = _card(config)
    facts["extra"] = {SOURCE_FILE: subwords.source, TARGET_FILE: subwords.target}
    return [
        Export(
            name=NAME,
            module=translator,
            signatures=_signatures(translator),
            examples=_examples(config),
            notes=notes,
            operations="tensorflow_text",
            **facts,
        ),
        Export(
            name=f"{NAME}_ids",
            module=translator.model,
            signatures=_ids_signatures(translator),
            examples=_ids_examples(translator),
            notes=_IDS_NOTES,
            **facts,
        ),
    ]


def _card(config: Config) -> dict[str, Any]:
    """Return the facts of the model card that depend on the data."""
    if config.train_file:
        return {"title": "Translator", **config.user_data_card()}
    card = load_card(config.dataset)
    source, target = direction(config.dataset, config.source, config.target)
    return {
        "title": f"From {_SIDES[source]} to {_SIDES[target]}",
        "data": card.data,
        "licence": card.model_licence,
        "splits": ("dev", "test"),
    }


def _signatures(translator: Translator) -> dict[str, Signature]:
    text = tf.TensorSpec([None], tf.string)
    pair = {"source": text, "target": text}
    sampling = {
        "text": text,
        "seed": tf.TensorSpec([2], tf.int32),
        "temperature": tf.TensorSpec([], tf.float32),
    }
    return {
        "serving_default": Signature(lambda text: translator.translate(text), {"text": text}),
        "n_best": Signature(lambda text: translator.n_best(text), {"text": text}),
        "greedy": Signature(lambda text: translator.greedy(text), {"text": text}),
        "sample": Signature(lambda **inputs: translator.sample(**inputs), sampling),
        "score": Signature(lambda **inputs: translator.score(**inputs), pair),
        "exposure_bias": Signature(lambda **inputs: translator.exposure_bias(**inputs), pair),
    }


def _ids_signatures(translator: Translator) -> dict[str, Signature]:
    def answer(source: tf.Tensor) -> dict[str, tf.Tensor]:
        found = translator.greedy_search(source)
        return {"tokens": found.tokens, "lengths": found.lengths, "scores": found.scores}

    return {"serving_default": Signature(answer, {"source": tf.TensorSpec(IDS_SHAPE, tf.int32)})}


def _examples(config: Config) -> dict[str, list[dict[str, np.ndarray]]]:
    """Golden inputs: ordinary sentences, empty ones and unknown characters."""
    plain = examples(config)
    texts = [np.array(text, object) for text in ([plain[0]], [*plain, "", "  ", "§ Zyx"])]
    pair = {"source": np.array(plain, object), "target": np.array(plain[::-1], object)}
    seed = {"seed": np.array([1, 2], "int32"), "temperature": np.float32(0.5)}
    named = {name: [{"text": t} for t in texts] for name in ("serving_default", "n_best", "greedy")}
    return {
        **named,
        "sample": [{"text": text, **seed} for text in texts],
        "score": [pair],
        "exposure_bias": [pair],
    }


def _ids_examples(translator: Translator) -> dict[str, list]:
    plain = examples(translator.config)
    ids = translator.encode(tf.constant(plain))[0][:, : IDS_SHAPE[1]].numpy()
    source = np.zeros(IDS_SHAPE, "int32")
    source[: len(ids), : ids.shape[1]] = ids
    return {"serving_default": [{"source": source}]}
