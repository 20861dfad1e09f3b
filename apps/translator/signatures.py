"""The exports: signatures, notes of their model cards, golden inputs."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from apps.common.app import Export
from apps.common.files import read_sibling
from apps.common.run_folder import load_model
from apps.common.text import TEXT
from apps.translator import NAME
from apps.translator.config import Config, examples
from apps.translator.served import MAX_SOURCE_LENGTH, Translator
from apps.translator.subwords import SOURCE_FILE, TARGET_FILE, Subwords
from datasets.translation import direction
from seqkit.export import Signature

IDS_SHAPE = 8, 32  # batch and source length of the export with static shapes

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
    """Describe the exports of a run folder: its best model so far, for text and for ids."""
    subwords = Subwords.read(run)
    translator = Translator(load_model(run), subwords, config)
    notes = read_sibling(__file__, "notes.md").format(
        case="It is converted to lower case, as is the translation. " if config.lowercase else "",
        num_beams=config.num_beams,
        max_source_length=MAX_SOURCE_LENGTH,
        max_length=config.max_length,
        max_ratio=config.max_ratio,
    )
    facts = {
        "title": _title(config),
        "extra": {SOURCE_FILE: subwords.source, TARGET_FILE: subwords.target},
        **config.export_facts(config.dataset),
    }
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
            notes=read_sibling(__file__, "notes_ids.md"),
            **facts,
        ),
    ]


def _title(config: Config) -> str:
    if config.train_file:
        return "Translator"
    source, target = direction(config.dataset, config.source, config.target)
    return f"From {_SIDES[source]} to {_SIDES[target]}"


def _signatures(translator: Translator) -> dict[str, Signature]:
    pair = {"source": TEXT, "target": TEXT}
    sampling = {
        "text": TEXT,
        "seed": tf.TensorSpec([2], tf.int32),
        "temperature": tf.TensorSpec([], tf.float32),
    }
    return {
        "serving_default": Signature(lambda text: translator.translate(text), {"text": TEXT}),
        "n_best": Signature(lambda text: translator.n_best(text), {"text": TEXT}),
        "greedy": Signature(lambda text: translator.greedy(text), {"text": TEXT}),
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
    """Return golden inputs: ordinary sentences, empty ones and unknown characters."""
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
