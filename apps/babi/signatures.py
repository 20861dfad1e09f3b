"""The export: its signature, the notes of its model card, golden inputs."""

from pathlib import Path

import numpy as np

from apps.babi import NAME
from apps.babi import model as _model  # noqa: F401 (registers the layers of model.keras)
from apps.babi.config import Config, examples
from apps.babi.sentences import FILE, Vocabulary, split_question
from apps.babi.served import QuestionAnswerer
from apps.common.app import Export
from apps.common.files import read_sibling
from apps.common.run_folder import load_model
from apps.common.text import TEXT
from seqkit.export import Signature

_NAMES = {"memory_network": "memory network", "dnc": "differentiable neural computer"}
_ATTENTION = """ `attention` (batch, hops, facts) is the weight of each fact in each hop; the
  weights of a hop sum to 1, or to 0 if there are no facts."""


def export(config: Config, run: Path) -> list[Export]:
    """Describe the export of a run folder: its best model so far."""
    vocabulary = Vocabulary.read(run)
    module = QuestionAnswerer(load_model(run), vocabulary, config)
    notes = read_sibling(__file__, "notes.md")
    signature = Signature(
        lambda facts, question: module.answer(facts, question), {"facts": TEXT, "question": TEXT}
    )
    return [
        Export(
            name=NAME,
            module=module,
            signatures={"serving_default": signature},
            examples={"serving_default": _examples(config)},
            title=f"Answers to questions about short stories ({_NAMES[config.model]})",
            notes=notes.format(
                max_facts=config.max_facts,
                answers=len(vocabulary.answers),
                attention=_ATTENTION if module.has_attention else "",
            ),
            extra={FILE: vocabulary.text},
            **config.export_facts("babi"),
        )
    ]


def _examples(config: Config) -> list[dict[str, np.ndarray]]:
    """Return golden inputs: each pair alone, all together, and a question without facts."""
    pairs = [*map(split_question, examples(config)), ("", "Where is Mary?")]
    chosen = ([0], [1], [0, 1, 2])
    return [
        {
            "facts": np.array([pairs[i][0] for i in rows], object),
            "question": np.array([pairs[i][1] for i in rows], object),
        }
        for rows in chosen
    ]
