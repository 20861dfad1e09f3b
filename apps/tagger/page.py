"""A page of tagged sentences in color: one HTML file that needs no network."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from seqeval.metrics.sequence_labeling import get_entities

from apps.common.files import atomic_write, check_new_file, report_written
from apps.tagger.spans import is_span_tag, standard

TEMPLATE = Path(__file__).with_name("page.html")
DOUBTFUL = 0.75  # words with a lower probability are marked
_HUES = 12
_COLORS = 2 * _HUES  # each hue pale and strong
# With this salt no two universal parts of speech, CoNLL-2000 classes or CoNLL-2003 classes share a
# color.
_SALT = 1479969
_JOINER = "&#8288;"  # keeps a word and its label on one line


class TaggedSentence(NamedTuple):
    """A tagged sentence."""

    words: Sequence[str]
    tags: Sequence[str]
    probabilities: Sequence[float]  # of each tag, in [0, 1]


def write_page(path: Path, sentences: Sequence[TaggedSentence]) -> None:
    """Write tagged sentences as a page, and report it on stderr.

    Plain tags are shown below their words; spans, whatever their scheme, as boxes. The fill is
    paler for lower probabilities (of a span: the lowest of its words); a tooltip shows the number.
    A tag has the same color on every page, unless it collides with another tag.

    Args:
        path: New file.
        sentences: Sentences, in order.

    Raises:
        UserError: If the file exists, or can't be created.
        ValueError: If the numbers of words, tags and probabilities differ.
    """
    check_new_file(path)
    text = _page(sentences)
    with atomic_write(path) as temporary:
        # An unpaired surrogate has no UTF-8 encoding; it is replaced with a question mark.
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    report_written(path)


def _page(sentences: Sequence[TaggedSentence]) -> str:
    tags = [tag for sentence in sentences for tag in sentence.tags]
    if all(tag == "O" or is_span_tag(standard(tag)) for tag in set(tags)):
        kind, draw = "spans", _spans
        counts = Counter(name for row in sentences for name, *_ in _entities(row))
    else:
        kind, draw = "tags", _tags
        counts = Counter(tags)
    colors = _colors(counts)
    lines = [" ".join(draw(sentence, colors)) or "<i>no words</i>" for sentence in sentences]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        rules="\n".join(_rule(color) for color in sorted(set(colors.values()))),
        size=f"{_number(len(sentences), 'sentence')}, {_number(len(tags), 'word')}",
        doubtful=f"{DOUBTFUL:.0%}",
        legend="\n".join(
            f'<li><bdi class="c{colors[name]}">{escape(name)}</bdi> {count:,}</li>'
            for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ),
        kind=kind,
        sentences="\n".join(f'<li><p dir="auto" lang="">{line}</p></li>' for line in lines),
    )


def _tags(sentence: TaggedSentence, colors: dict[str, int]) -> list[str]:
    """Return each word with its tag."""
    return [
        _word(word, tag, p, f"<bdi {_fill(colors[tag], p)}>{escape(tag)}{_percent(p)}</bdi>")
        for word, tag, p in zip(*sentence, strict=True)
    ]


def _spans(sentence: TaggedSentence, colors: dict[str, int]) -> list[str]:
    """Return each word; the first and the last word of a span open and close its box."""
    parts = [_word(word, tag, p, _percent(p)) for word, tag, p in zip(*sentence, strict=True)]
    for name, first, last in _entities(sentence):
        lowest = min(sentence.probabilities[first : last + 1])
        parts[first] = f"<mark {_fill(colors[name], lowest)}>{parts[first]}"
        parts[last] += f"<bdi>{_JOINER}{escape(name)}</bdi></mark>"
    return parts


def _entities(sentence: TaggedSentence) -> list[tuple[str, int, int]]:
    """Return class, first and last word of each span."""
    return get_entities([standard(tag) for tag in sentence.tags])


def _word(word: str, tag: str, probability: float, mark: str) -> str:
    doubtful = ' class="doubtful"' if probability < DOUBTFUL else ""
    title = escape(f"{tag} {probability:.4f}")
    return f'<span{doubtful} title="{title}"><span>{escape(word)}</span>{mark}</span>'


def _percent(probability: float) -> str:
    return f"<i>{_JOINER}{probability:.0%}</i>" if probability < DOUBTFUL else ""


def _fill(color: int, probability: float) -> str:
    return f'class="c{color}" style="--p:{probability:.2f}"'


def _colors(names: Iterable[str]) -> dict[str, int]:
    """Assign a color to each name by a hash; on a collision the next free one, if there is any."""
    colors: dict[str, int] = {}
    for name in sorted(names):
        color = zlib.crc32(name.encode("utf-8", "replace"), _SALT) % _COLORS
        while color in colors.values() and len(colors) < _COLORS:
            color = (color + 7) % _COLORS
        colors[name] = color
    return colors


def _rule(color: int) -> str:
    tone, hue = divmod(color, _HUES)
    tone, hue = ("pale", "strong")[tone], 360 * hue // _HUES
    return f".c{color}{{background:oklch(var(--{tone}) {hue}/calc(.3 + .7*var(--p,1)))}}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
