import math
import re
from html.parser import HTMLParser
from itertools import combinations, product

import pytest

from apps.common.errors import UserError
from apps.common.files import check_new_file
from apps.tagger.page import TaggedSentence, write_page

VOID = {"meta"}
UNIVERSAL = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON"),
    *("PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
CONLL_2000 = ("NP", "VP", "PP", "ADVP", "SBAR", "ADJP", "PRT", "CONJP", "INTJ", "LST", "UCP")
CONLL_2003 = ("PER", "LOC", "ORG", "MISC")


class Page(HTMLParser):
    """Parser of a page: checks that all tags are closed, and collects the visible text."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.open, self.names = [], set()
        self.words, self.titles, self.boxes, self.legend = [], [], [], []
        self.feed(self.html)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        attributes = dict(attributes)
        self.names.add(name)
        if name == "p" and "lang" in attributes:
            self.words.append([])
            self.titles.append([])
        if "title" in attributes:
            self.titles[-1].append(attributes["title"])
        if name == "mark":
            self.boxes.append([attributes["class"], attributes["style"], ""])
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        if self.open[-2:] == ["span", "span"]:
            self.words[-1].append(text)
        if "mark" in self.open:
            self.boxes[-1][2] += text.replace("\N{WORD JOINER}", "|")
        if "ul" in self.open:
            self.legend += text.split()


@pytest.fixture
def page(tmp_path):
    def write(*answers):
        path = tmp_path / "page.html"
        path.unlink(missing_ok=True)
        write_page(path, answers)
        assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
        return Page(path)

    return write


def test_plain_tags(page):
    read = page(
        TaggedSentence(["The", "dog", "sleeps"], ["DET", "NOUN", "VERB"], [0.99994, 0.9, 0.41666]),
        TaggedSentence(["Cats"], ["NOUN"], [1.0]),
    )
    assert read.words == [["The", "dog", "sleeps"], ["Cats"]]
    assert read.titles == [["DET 0.9999", "NOUN 0.9000", "VERB 0.4167"], ["NOUN 1.0000"]]
    assert read.legend == ["NOUN", "2", "DET", "1", "VERB", "1"]
    assert read.html.count('class="doubtful"') == read.html.count("42%") == 1
    assert "2 sentences, 4 words." in read.html


@pytest.mark.parametrize(
    "tags", ["B-NP I-NP O B-VP B-NP", "B-NP E-NP O S-VP S-NP", "B-NP L-NP O U-VP U-NP"]
)
def test_spans(page, tags):
    probabilities = [0.9, 0.8, 0.5, 1.0, 0.7]
    words = ["the", "dog", ",", "sleeps", "it"]
    read = page(TaggedSentence(words, tags.split(), probabilities))
    assert read.words == [words]
    titles = zip(tags.split(), probabilities, strict=True)
    assert read.titles == [[f"{tag} {p:.4f}" for tag, p in titles]]
    assert [text for *_, text in read.boxes] == ["the dog|NP", "sleeps|VP", "it|70%|NP"]
    assert [style for _, style, _ in read.boxes] == ["--p:0.80", "--p:1.00", "--p:0.70"]
    (noun, *_), (verb, *_), (other_noun, *_) = read.boxes
    assert noun == other_noun != verb
    assert read.legend == ["NP", "2", "VP", "1"]
    assert read.html.count('class="doubtful"') == 2  # the comma and `it`


def test_ill_formed_spans_are_drawn_as_seqeval_reads_them(page):
    read = page(TaggedSentence(["a", "b", "c"], ["I-X", "E-X", "B-Y"], [1.0] * 3))
    assert [text for *_, text in read.boxes] == ["a b|X", "c|Y"]


def test_without_any_spans(page):
    read = page(TaggedSentence(["a", "b"], ["O", "O"], [1.0, 1.0]))
    assert read.words == [["a", "b"]] and read.boxes == [] and read.legend == []


def test_words_and_tags_are_escaped(page):
    words = ["<script>alert(1)</script>", "&amp;", '"', "' onclick='x", "ذهب", "東京", "{style}"]
    read = page(TaggedSentence(words, ['<b>"&', *"NNNNNN"], [0.9] * 7))
    assert read.words == [words]
    assert read.titles[0][0] == '<b>"& 0.9000'
    assert not read.names & {"script", "b", "link", "img"}
    assert "http" not in read.html.replace("http-equiv", "")


def test_sentences_without_words(page):
    assert page(TaggedSentence([], [], []), TaggedSentence(["a"], ["X"], [1.0])).words == [
        [],
        ["a"],
    ]
    assert "no words" in page(TaggedSentence([], [], [])).html
    assert page().words == []


def test_an_unpaired_surrogate_is_replaced(page):
    assert page(TaggedSentence(["a\ud800"], ["X\udc00"], [1.0])).words == [["a?"]]


def test_sentences_with_too_few_tags_are_refused(tmp_path):
    with pytest.raises(ValueError):
        write_page(tmp_path / "page.html", [TaggedSentence(["a", "b"], ["X"], [1.0])])
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_overwritten(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("precious")
    for write in (check_new_file, lambda path: write_page(path, [])):
        with pytest.raises(UserError, match="exists and is not overwritten"):
            write(path)
    assert path.read_text() == "precious"


def test_the_folder_must_exist(tmp_path):
    path = tmp_path / "none" / "page.html"
    for write in (check_new_file, lambda path: write_page(path, [])):
        with pytest.raises(UserError, match=f"the folder {path.parent} does not exist; create it"):
            write(path)


@pytest.mark.parametrize(
    "length", [250, 300]
)  # of at most 255; the temporary file has a longer name
def test_a_write_error_is_reported_in_one_line(tmp_path, length):
    with pytest.raises(UserError, match="File name too long; choose another path"):
        write_page(tmp_path / ("a" * length), [])


@pytest.mark.parametrize("tags", [UNIVERSAL, CONLL_2000, CONLL_2003])
def test_a_common_tag_has_its_own_color_on_every_page(page, tags):
    together = colors(page(TaggedSentence(tags, tags, [1.0] * len(tags))))
    assert len(set(together.values())) == len(tags)
    for tag in tags:
        assert colors(page(TaggedSentence(["a"], [tag], [1.0]))) == {tag: together[tag]}


def test_colors_differ_while_there_are_enough(page):
    for count, different in ((24, 24), (30, 24)):
        tags = [f"tag{i}" for i in range(count)]
        of_tag = colors(page(TaggedSentence(tags, tags, [1.0] * count)))
        assert len(of_tag) == count and len(set(of_tag.values())) == different


def colors(read):
    """Return the color class of each tag in the legend."""
    return {name: color for color, name in re.findall(r'<li><bdi class="(c\d+)">(.*?)<', read.html)}


def test_text_is_readable_and_colors_are_distinguishable(page):
    tags = [f"tag{i}" for i in range(24)]
    html = page(TaggedSentence(tags, tags, [1.0] * 24)).html
    fills = re.findall(r"background:oklch\(var\(--(pale|strong)\) (\d+)/calc\(.3 ", html)
    assert len(set(fills)) == 24
    light, dark = html.split("@media")
    for scheme in (light, dark):
        paper, ink, muted = (srgb(scheme, name) for name in ("paper", "ink", "muted"))
        assert contrast(ink, paper) >= 7 and contrast(muted, paper) >= 4.5
        tones = {
            t: tuple(map(float, re.search(rf"--{t}:(\S+) ([.\d]+)", scheme).groups()))
            for t in ("pale", "strong")
        }
        labs = [oklab(*tones[tone], float(hue)) for tone, hue in fills]
        for lab, opacity in product(labs, (0.3, 0.6, 1.0)):
            fill = rgb(lab)
            mixed = [opacity * f + (1 - opacity) * p for f, p in zip(fill, paper, strict=True)]
            assert contrast(ink, mixed) >= 4.5  # WCAG 2, level AA
        assert min(math.dist(*pair) for pair in combinations(labs, 2)) > 0.02  # just noticeable


def srgb(css, name):
    digits = re.search(rf"--{name}:#([0-9a-f]+)", css)[1]
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    return [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def oklab(lightness, chroma, hue):
    hue = math.radians(hue)
    return lightness, chroma * math.cos(hue), chroma * math.sin(hue)


def rgb(lab):
    """Convert OKLab to clipped sRGB with the matrices of CSS Color 4."""
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    clipped = [min(1.0, max(0.0, x)) for x in linear]
    return [12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055 for x in clipped]


def contrast(one, other):
    """Return WCAG's contrast ratio of two sRGB colors."""

    def luminance(color):
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
