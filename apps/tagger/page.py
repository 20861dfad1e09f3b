"""A page to look at: tagged sentences in colour, in one HTML file that needs no network."""

import contextlib
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from seqeval.metrics.sequence_labeling import get_entities

from apps.common.errors import UserError
from apps.common.new_file import check_new_file
from apps.tagger.spans import is_span_tag

DOUBTFUL = 0.75  # words with a lower probability are marked
_HUES = 12
_COLOURS = 2 * _HUES  # each hue pale and strong
# With this number the universal parts of speech, the classes of CoNLL-2000 and those of CoNLL-2003
# have no two of one colour.
_SALT = 1479969
_JOINER = "&#8288;"  # no line ends between a word and what is said of it


class Answer(NamedTuple):
    """A tagged sentence."""

    words: Sequence[str]
    tags: Sequence[str]
    probabilities: Sequence[float]  # of each tag, in [0, 1]


def write_page(path: Path, answers: Sequence[Answer]) -> None:
    """Write tagged sentences as a page.

    Plain tags stand below their words. Spans, of BIO or IOBES tags, are boxes round theirs. The
    fill pales with the probability (of a span: the lowest of its words), and a pointer on a word
    shows the number. A tag has one colour, on every page unless two tags of a page compete for it.

    Args:
        path: of the new file.
        answers: the sentences, in order.

    Raises:
        UserError: the file is there already, or can't be written.
        ValueError: a sentence has not as many words as tags and probabilities.
    """
    check_new_file(path)
    text = _page(answers)
    beside = path.with_name(f".writing-{path.name}")
    try:
        # Half a surrogate pair has no UTF-8; a question mark takes its place.
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise UserError(f"{path}: {error.strerror}; give another path") from None


def _page(answers: Sequence[Answer]) -> str:
    tags = [tag for answer in answers for tag in answer.tags]
    if all(tag == "O" or is_span_tag(tag) for tag in set(tags)):
        kind, draw = "spans", _spans
        counts = Counter(name for answer in answers for name, *_ in get_entities([*answer.tags]))
    else:
        kind, draw = "tags", _tags
        counts = Counter(tags)
    colours = _colours(counts)
    sentences = [" ".join(draw(answer, colours)) or "<i>no words</i>" for answer in answers]
    return _TEMPLATE.format(
        style=_STYLE + "\n".join(_rule(colour) for colour in sorted(set(colours.values()))),
        size=f"{_number(len(answers), 'sentence')}, {_number(len(tags), 'word')}",
        doubtful=f"{DOUBTFUL:.0%}",
        legend="\n".join(
            f'<li><bdi class="c{colours[name]}">{escape(name)}</bdi> {count:,}</li>'
            for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ),
        kind=kind,
        sentences="\n".join(f'<li><p dir="auto" lang="">{line}</p></li>' for line in sentences),
    )


def _tags(answer: Answer, colours: dict[str, int]) -> list[str]:
    """Each word with its tag."""
    return [
        _word(word, tag, p, f"<bdi {_fill(colours[tag], p)}>{escape(tag)}{_percent(p)}</bdi>")
        for word, tag, p in zip(*answer, strict=True)
    ]


def _spans(answer: Answer, colours: dict[str, int]) -> list[str]:
    """Each word, the first and the last of a span with the ends of its box."""
    parts = [_word(word, tag, p, _percent(p)) for word, tag, p in zip(*answer, strict=True)]
    for name, first, last in get_entities([*answer.tags]):
        lowest = min(answer.probabilities[first : last + 1])
        parts[first] = f"<mark {_fill(colours[name], lowest)}>{parts[first]}"
        parts[last] += f"<bdi>{_JOINER}{escape(name)}</bdi></mark>"
    return parts


def _word(word: str, tag: str, probability: float, mark: str) -> str:
    doubtful = ' class="doubtful"' if probability < DOUBTFUL else ""
    title = escape(f"{tag} {probability:.4f}")
    return f'<span{doubtful} title="{title}"><span>{escape(word)}</span>{mark}</span>'


def _percent(probability: float) -> str:
    return f"<i>{_JOINER}{probability:.0%}</i>" if probability < DOUBTFUL else ""


def _fill(colour: int, probability: float) -> str:
    return f'class="c{colour}" style="--p:{probability:.2f}"'


def _colours(names: Iterable[str]) -> dict[str, int]:
    """A colour for each name: its own, or the next that is free as long as there is one."""
    colours: dict[str, int] = {}
    for name in sorted(names):
        colour = zlib.crc32(name.encode("utf-8", "replace"), _SALT) % _COLOURS
        while colour in colours.values() and len(colours) < _COLOURS:
            colour = (colour + 7) % _COLOURS
        colours[name] = colour
    return colours


def _rule(colour: int) -> str:
    tone, hue = divmod(colour, _HUES)
    tone, hue = ("pale", "strong")[tone], 360 * hue // _HUES
    return f".c{colour}{{background:oklch(var(--{tone}) {hue}/calc(.3 + .7*var(--p,1)))}}"


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
<p>{size}. Paler: less probable; dotted: below {doubtful}. Point at a word for the number.</p>
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
