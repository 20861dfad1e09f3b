import numpy as np
import pytest
from scipy import stats

from apps.common.errors import UserError
from apps.translator.subwords import (
    BOS,
    EOS,
    MAX_SEGMENTATIONS,
    PAD,
    UNKNOWN,
    Subwords,
    decode,
    encode,
    learn,
    processor,
    sample,
)
from tests.apps.translator.conftest import PAIRS

SENTENCES = [side for pair in PAIRS for side in pair]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def model(request):
    return learn(SENTENCES, 40, request.param)


def test_the_first_four_pieces_are_control_symbols(model):
    pieces = processor(model)
    assert len(pieces) == 40
    assert pieces.id_to_piece([PAD, UNKNOWN, BOS, EOS]) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_pieces_are_joined_to_the_sentence(model):
    ids = encode(model, SENTENCES)
    assert decode(model, ids) == SENTENCES
    assert not {PAD, UNKNOWN, BOS, EOS} & {i for row in ids for i in row}
    assert encode(model, [""]) == [[]] and decode(model, [[]]) == [""]
    assert UNKNOWN in encode(model, ["§"])[0]


def test_learning_is_deterministic():
    assert learn(SENTENCES, 40, "bpe") == learn(SENTENCES, 40, "bpe")


def test_segmentations_are_sampled_with_the_probabilities_of_the_paper():
    model = learn(SENTENCES, 40, "unigram")
    pieces = processor(model)
    word, alpha, count = "greengreen", 0.3, 20_000
    segmentations = pieces.nbest_encode_as_ids(word, nbest_size=MAX_SEGMENTATIONS)
    p = np.exp(alpha * np.array([sum(map(pieces.get_score, way)) for way in segmentations]))
    drawn = sample(model, [word] * count, alpha, np.random.default_rng(0))
    observed = [drawn.count(way) for way in segmentations]
    assert len(segmentations) > 2 and sum(observed) == count
    assert stats.chisquare(observed, count * p / p.sum()).pvalue > 1e-3


def test_sampling_depends_only_on_the_generator():
    model = learn(SENTENCES, 40, "unigram")
    drawn = [sample(model, SENTENCES, 0.3, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert decode(model, drawn[0]) == SENTENCES
    # A large alpha selects the most probable segmentation.
    assert sample(model, SENTENCES, 1e6, np.random.default_rng(0)) == encode(model, SENTENCES)
    odd = ["", "  two  spaces ", "§ unknown"]
    assert sample(model, odd, 1e6, np.random.default_rng(0)) == encode(model, odd)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_an_impossible_vocabulary_size_is_explained(kind):
    with pytest.raises(UserError, match=r"^vocabulary_size 5000 is more than .*at most \d+$"):
        learn(SENTENCES, 5000, kind)
    with pytest.raises(UserError, match=r"^vocabulary_size 10 is too small: .* alone are \d+"):
        learn(SENTENCES, 10, kind)


def test_lines_that_are_all_too_long_are_explained():
    with pytest.raises(UserError, match=r"^no training line has fewer than 4,192 bytes"):
        learn(["ab cd " * 1000] * 3, 20, "bpe")


def test_the_size_that_the_message_suggests_works():
    with pytest.raises(UserError) as caught:
        learn(SENTENCES, 5000, "unigram")
    most = int(str(caught.value).rsplit(" ", 1)[1])
    assert len(processor(learn(SENTENCES, most, "unigram"))) == most


def test_saving_and_reading_models(tmp_path):
    subwords = Subwords(learn(SENTENCES, 40, "bpe"), learn(SENTENCES, 50, "bpe"))
    subwords.save(tmp_path)
    assert Subwords.read(tmp_path) == subwords
    assert subwords.sizes == (40, 50)


@pytest.mark.parametrize("damage", ["missing", "empty", "half"])
def test_a_damaged_model_is_reported(tmp_path, damage):
    Subwords(*[learn(SENTENCES, 40, "bpe")] * 2).save(tmp_path)
    path = tmp_path / "target.model"
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(whole[: len(whole) // 2] if damage == "half" else b"")
    with pytest.raises(UserError, match=rf"^{path}: .*; train into a new folder$"):
        Subwords.read(tmp_path)
