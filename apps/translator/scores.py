"""Scores of translations, computed with the standard libraries."""

from collections.abc import Sequence
from typing import NamedTuple

import sacrebleu
import sacremoses
from sacrebleu.metrics import BLEU, CHRF, TER

from apps.common.report import table
from datasets.translation import Pair

# `force` only silences a warning about tokenized text; the scores are the same.
BLEU_ORDER = 4  # BLEU is 0 if no reference has as many tokens
_BANDS = ((1, 5), (6, 10), (11, 15), (16, 20), (21, 30), (31, 10_000))  # words of the source


def score(
    translations: Sequence[str], references: Sequence[str], language: str
) -> dict[str, float]:
    """Score translations, in percent.

    Args:
        translations: Translations of a model.
        references: Translations by people.
        language: Language of the translations, for the rules of the Moses tokenizer: `de`.

    Returns:
        `bleu`, `chrf`, `ter` of the raw text; `bleu_lower_tok`, BLEU as older papers report it: in
        lower case, with punctuation normalized, tokenized by Moses, unless all references are too
        short for it; `exact`, the share of translations that equal their reference.
    """
    references = [list(references)]
    scores = {
        "bleu": BLEU(force=True).corpus_score(translations, references).score,
        "chrf": CHRF().corpus_score(translations, references).score,
        "ter": TER().corpus_score(translations, references).score,
    }
    tokenized = [moses(lines, language) for lines in (translations, references[0])]
    if any(len(line.split()) >= BLEU_ORDER for line in tokenized[1]):
        scores["bleu_lower_tok"] = _published().corpus_score(tokenized[0], [tokenized[1]]).score
    return scores | {"exact": exact(translations, references[0])}


def quick_score(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Compute `bleu`, `chrf` and `exact` of `score`, for each epoch."""
    return {
        "bleu": BLEU(force=True).corpus_score(translations, [references]).score,
        "chrf": CHRF().corpus_score(translations, [references]).score,
        "exact": exact(translations, references),
    }


def exact(translations: Sequence[str], references: Sequence[str]) -> float:
    """Compute the share of translations that equal their reference, in percent."""
    same = sum(t == r for t, r in zip(translations, references, strict=True))
    return 100 * same / len(references)


def metric() -> str:
    """Describe how `score` is computed, with the signatures of sacreBLEU."""
    signatures = []
    for scorer in (BLEU(force=True), CHRF(), TER()):
        name = scorer.corpus_score(["a"], [["a"]]).name  # the signature exists only after scoring
        signatures.append(f"{name} {scorer.get_signature()}")
    return (
        "; ".join(signatures)
        + f"; bleu_lower_tok: lower case, sacremoses {sacremoses.__version__}, "
        + f"sacreBLEU {sacrebleu.__version__} without a tokenizer"
    )


def moses(lines: Sequence[str], language: str) -> list[str]:
    """Tokenize lines as the published Multi30k files are: lower case, normalized, escaped.

    Example:
        >>> moses(["Ein Mann fährt „Rad“."], "de")
        ['ein mann fährt &quot; rad &quot; .']
    """
    normalize = sacremoses.MosesPunctNormalizer(language).normalize
    tokenize = sacremoses.MosesTokenizer(language).tokenize
    return [
        tokenize(normalize(line.lower()), return_str=True, aggressive_dash_splits=False)
        for line in lines
    ]


class Band(NamedTuple):
    """Score of the translations of sources of similar length."""

    sentences: int
    bleu: float


def by_length(pairs: Sequence[Pair], translations: Sequence[str]) -> dict[str, Band]:
    """Score translations by the number of words of their source: `6-10` -> Band."""
    found = {}
    lengths = [len(pair.source.split()) for pair in pairs]
    for low, high in _BANDS:
        rows = [i for i, length in enumerate(lengths) if low <= length <= high]
        if rows:
            references = [pairs[i].target for i in rows]
            bleu = (
                BLEU(force=True).corpus_score([translations[i] for i in rows], [references]).score
            )
            name = f"{low}-{high}" if high < 10_000 else f"{low}+"
            found[name] = Band(len(rows), bleu)
    return found


def length_table(bands: dict[str, Band]) -> str:
    """Format the result of `by_length`."""
    rows = [[name, str(count), f"{bleu:.2f}"] for name, (count, bleu) in bands.items()]
    return table(["words of the source", "sentences", "BLEU"], rows)


def _published() -> BLEU:
    return BLEU(tokenize="none", force=True)
