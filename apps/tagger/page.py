"""A page of tagged sentences in color: one HTML file that needs no network."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from seqeval.metrics.sequence_labeling import get_entities

from apps.common.files import atomic_write, check_new_file
from apps.tagger.spans import is_span_tag

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
    """Write tagged sentences as a page.

    Plain tags are shown below their words; spans, from BIO or IOBES tags, as boxes. The fill pales
    with the probability (of a span: the lowest of its words), which a tooltip shows as a number. A
    tag has one color, on every page unless two tags of a page collide.

    Args:
        path: New file.
        sentences: Sentences, in order.

    Raises:
        UserError: If the file exists, or can't be created.
        ValueError: If numbers of words, tags and probabilities differ.
    """
    check_new_file(path)
    text = _page(sentences)
    with atomic_write(path) as temporary:
        # Half a surrogate pair has no UTF-8; a question mark takes its place.
        temporary.write_text(text, encoding="utf-8", errors="replace")


def _page(sentences: Sequence[TaggedSentence]) -> str:
    tags = [tag for sentence in sentences for tag in sentence.tags]
    if all(tag == "O" or is_span_tag(tag) for tag in set(tags)):
        kind, draw = "spans", _spans
        counts = Counter(name for row in sentences for name, *_ in get_entities([*row.tags]))
    else:
        kind, draw = "tags", _tags
        counts = Counter(tags)
    colors = _colors(counts)
    lines = [" ".join(draw(sentence, colors)) or "<i>no words</i>" for sentence in sentences]
    return _TEMPLATE.format(
        style=_STYLE + "\n".join(_rule(color) for color in sorted(set(colors.values()))),
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
    """Return each word; the first and the last of a span have the ends of its box."""
    parts = [_word(word, tag, p, _percent(p)) for word, tag, p in zip(*sentence, strict=True)]
    for name, first, last in get_entities([*sentence.tags]):
        lowest = min(sentence.probabilities[first : last + 1])
        parts[first] = f"<mark {_fill(colors[name], lowest)}>{parts[first]}"
        parts[last] += f"<bdi>{_JOINER}{escape(name)}</bdi></mark>"
    return parts


def _word(word: str, tag: str, probability: float, mark: str) -> str:
    doubtful = ' class="doubtful"' if probability < DOUBTFUL else ""
    title = escape(f"{tag} {probability:.4f}")
    return f'<span{doubtful} title="{title}"><span>{escape(word)}</span>{mark}</span>'


def _percent(probability: float) -> str:
    return f"<i>{_JOINER}{probability:.0%}</i>" if probability < DOUBTFUL else ""


def _fill(color: int, probability: float) -> str:
    return f'class="c{color}" style="--p:{probability:.2f}"'


def _colors(names: Iterable[str]) -> dict[str, int]:
    """Assign a color to each name: its own, or the next free one while there is one."""
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


_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1f24;--muted:#5c636e;--line:#e5e7eb;
--doubt:#b45309;--pale:.94 .05;--strong:.83 .1}
@media (prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#eceef1;--muted:#9aa2ad;
--line:#2b2f36;--doubt:#f0a53a;--pale:.35 .055;--strong:.47 .11}}
body{max-width:56rem;margin:0 auto;padding:2.5rem 1.25rem;background:var(--paper);
color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif;print-color-adjust:exact}
h1{margin:0;font-size:1.375rem;font-weight:600}
header p,ul{margin:.375rem 0 0;color:var(--muted);font-size:.875rem}
ul,ol{padding:0;list-style:none}
ul{display:flex;flex-wrap:wrap;gap:.375rem .875rem;margin:1.25rem 0}
ol{margin:0;counter-reset:sentence}
ol>li{display:grid;grid-template-columns:2.75rem minmax(0,1fr);padding:.875rem 0;
border-top:1px solid var(--line)}
ol>li::before{counter-increment:sentence;content:counter(sentence);padding-top:.375rem;
color:var(--muted);font-size:.8125rem;font-variant-numeric:tabular-nums}
ol p{margin:0;overflow-wrap:anywhere}
bdi{padding:.0625rem .375rem;border-radius:.25rem;font-size:.6875rem;font-weight:500;
letter-spacing:.02em;color:var(--ink)}
ol bdi,i{user-select:none}
i{font-size:.6875rem;font-style:normal;font-variant-numeric:tabular-nums;margin:0 .25rem;
direction:ltr;unicode-bidi:isolate}
p>i{margin:0;color:var(--muted);font-size:.875rem}
.tags p>span{display:inline-flex;flex-direction:column;align-items:center;max-width:100%;
margin:.125rem .0625rem .375rem;vertical-align:top}
.spans p{line-height:2.125}
mark{padding:.25rem .375rem;border-radius:.375rem;color:inherit;
box-decoration-break:clone;-webkit-box-decoration-break:clone}
bdi i{margin-right:0}
mark bdi{padding:0 .25rem;font-weight:700}
.doubtful>span{text-decoration:underline dotted .125rem var(--doubt);text-underline-offset:.25rem}
"""

_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Tagged sentences</title>
<style>{style}
</style>
</head>
<body>
<header>
<h1>Tagged sentences</h1>
<p>{size}. Paler: less probable; dotted: below {doubtful}. Hover over a word for the number.</p>
</header>
<ul>
{legend}
</ul>
<ol class="{kind}">
{sentences}
</ol>
</body>
</html>
"""
