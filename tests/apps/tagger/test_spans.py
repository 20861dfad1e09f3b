import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import UserError
from apps.tagger.spans import from_iobes, looks_like_spans, of_iobes, scheme_of, to_iobes

# The tags of spans of one, two, three and four words.
IOBES = {"IOBES": ["S", "BE", "BIE", "BIIE"], "BILOU": ["U", "BL", "BIL", "BIIL"]}
IOBES |= {"BMEWO": ["W", "BE", "BME", "BMME"], "BMESO": ["S", "BE", "BME", "BMME"]}
# A sentence as its segments: a class, or None outside spans, and a number of words.
SEGMENTS = st.lists(st.tuples(st.sampled_from(["NP", "VP", "A-B", None]), st.integers(1, 4)))


def write(segments, scheme):
    """Write segments as tags, from the definition of the scheme."""
    tags, before = [], None
    for name, length in segments:
        if name is None:
            tags += ["O"] * length
        elif scheme in IOBES:
            tags += [f"{prefix}-{name}" for prefix in IOBES[scheme][length - 1]]
        else:
            first = "B" if scheme == "BIO" or before == name else "I"
            tags += [f"{first}-{name}"] + [f"I-{name}"] * (length - 1)
        before = name
    return tags


@given(SEGMENTS)
def test_bio_and_iobes_convert_into_each_other(segments):
    bio, iobes = write(segments, "BIO"), write(segments, "IOBES")
    assert to_iobes(bio, "BIO") == iobes
    assert from_iobes(iobes, "BIO") == bio


@given(SEGMENTS)
def test_iob1_is_converted_to_the_intended_spans(segments):
    assert to_iobes(write(segments, "IOB1"), "BIO") == write(segments, "IOBES")


@given(SEGMENTS, st.sampled_from(list(IOBES)))
def test_iobes_with_other_letters_is_converted_and_back(segments, scheme):
    tags = write(segments, scheme)
    assert to_iobes(tags, scheme) == write(segments, "IOBES")
    assert from_iobes(write(segments, "IOBES"), scheme) == tags


@given(SEGMENTS)
def test_iobes_and_plain_tags_are_unchanged(segments):
    iobes = write(segments, "IOBES")
    for scheme in ("IOBES", None):
        assert to_iobes(iobes, scheme) == from_iobes(iobes, scheme) == iobes


@given(st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"])))
def test_any_bio_is_converted_to_well_formed_iobes(tags):
    iobes = to_iobes(tags, "BIO")
    assert scheme_of([["S-X"], iobes]) == "IOBES"
    assert to_iobes(from_iobes(iobes, "BIO"), "BIO") == iobes


def test_an_i_tag_without_a_preceding_span_begins_one():
    tags = ["I-NP", "O", "I-NP", "I-VP", "B-NP", "I-VP"]
    assert to_iobes(tags, "BIO") == ["S-NP", "O", "S-NP", "S-VP", "S-NP", "S-VP"]


def test_a_single_tag_is_converted_to_the_users_scheme():
    iobes = ["B-X", "I-X", "E-X", "S-X", "O"]
    assert [of_iobes(tag, "BIO") for tag in iobes] == ["B-X", "I-X", "I-X", "B-X", "O"]
    assert [of_iobes(tag, "IOBES") for tag in iobes] == iobes
    assert of_iobes("SCONJ", None) == "SCONJ"


@given(st.lists(SEGMENTS, min_size=1), st.sampled_from(["BIO", "IOB1", *IOBES]))
def test_the_scheme_of_a_corpus_is_detected(corpus, scheme):
    tags = [write(segments, scheme) for segments in [*corpus, [("X", 1), ("X", 3)]]]
    expected = scheme if scheme in IOBES else "BIO"
    assert scheme_of(iter(tags)) == expected
    # A part of the corpus may have fewer letters.
    part = tags[:-1]
    has_spans = {tag for sentence in part for tag in sentence} - {"O"}
    assert scheme_of(part, expected) == (expected if has_spans else None)


def test_letters_of_other_schemes_are_plain_tags_if_there_are_other_plain_tags():
    assert scheme_of([["W-PRON", "L-N", "NOUN"]]) is None
    assert scheme_of([["U-boat", "O"]]) is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("b-per i-per o", True),
        ("B_PER I_PER O", True),
        ("PER-B PER-I O", True),
        ("B I O", True),
        ("B M E S", True),
        ("B/PER E/PER S/PER O", True),
        ("DET NOUN", False),
        ("B O", False),
        ("B-movie NOUN", False),
        ("U-PER U-LOC O", True),
        ("U-PER L-N", False),
        ("Title, lower UPPER.", False),
        ("T0 T1", False),
    ],
)
def test_span_tags_that_are_read_as_plain_tags_are_noticed(tags, expected):
    assert looks_like_spans(tags.split()) is expected


@pytest.mark.parametrize(
    "tags",
    [
        ["NOUN", "VERB"],
        ["Title,", "lower", "UPPER."],
        ["O", "O"],
        ["O", "X"],
        ["B", "I", "S"],
        ["S----3MS1-", "I---------", "N------S2I"],  # as in Arabic treebanks
        [],
    ],
)
def test_plain_tags_have_no_scheme(tags):
    assert scheme_of([tags]) is None


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (
            [["B-NP", "E-NP"], ["O", "I-NP", "E-NP", "O"]],
            "sentence 2: span schemes are mixed: "
            "sentence 1 is in IOBES, but 'O I-NP E-NP ...' is not; use "
            "IOBES throughout, or neither E- nor S-",
        ),
        (
            [["O"], ["B-NP", "I-NP", "I-NP", "O"], ["S-NP"]],
            "sentence 2: span schemes are mixed: "
            "sentence 3 is in IOBES, but '... I-NP I-NP O' is not; use "
            "IOBES throughout, or neither E- nor S-",
        ),
        (
            [["B-NP", "I-NP", "O"], ["B-NP", "NOUN", "B-VP", "I-VP"]],
            "sentence 2: span tags and plain tags are mixed, in 'B-NP NOUN B-VP ...'; tag every "
            "word with O or a span tag (B-, I-, E-, S-), and use no plain tags that look like "
            "span tags",
        ),
        (
            [["B-NP", "L-NP"], ["B-NP", "I-NP", "I-NP", "O"]],
            "sentence 2: span schemes are mixed: sentence 1 is in BILOU, but '... I-NP I-NP O' is "
            "not; use BILOU throughout, or neither L- nor U-",
        ),
        (
            [["B-NP", "L-NP", "U-NP"], ["U-NP", "0"]],
            "sentence 2: span tags and plain tags are mixed, in 'U-NP 0'; tag every word with O or "
            "a span tag (B-, I-, E-, S-), and use no plain tags that look like span tags",
        ),
        (
            [["B-NP", "L-NP"], ["B-NP", "E-NP", "O"]],
            "no scheme of spans has the letters B, E, L together; use one of BIO, IOBES, BILOU, "
            "BMEWO, BMESO",
        ),
        (
            [["NOUN", "VERB"], ["NOUN", "E-mail"]],
            "sentence 2: span tags and plain tags are mixed, in 'NOUN E-mail'; tag every "
            "word with O or a span tag (B-, I-, E-, S-), and use no plain tags that look like "
            "span tags",
        ),
    ],
)
def test_mixed_tags_are_refused(corpus, message):
    with pytest.raises(UserError) as error:
        scheme_of(corpus)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "broken",
    [
        ["B-X"],
        ["B-X", "O"],
        ["B-X", "I-X"],
        ["E-X"],
        ["O", "E-X"],
        ["S-X", "I-X", "E-X"],
        ["E-X", "E-X"],
        ["B-X", "E-Y"],
        ["B-X", "B-X", "E-X"],
        ["B-X", "S-X"],
    ],
)
def test_ill_formed_iobes_is_refused(broken):
    assert scheme_of([["S-X", "B-X", "I-X", "E-X", "B-X", "E-X", "S-Y", "O", "S-X"]]) == "IOBES"
    with pytest.raises(UserError, match=r"^sentence 2: span schemes are mixed: sentence 1 is"):
        scheme_of([["S-X"], broken])
