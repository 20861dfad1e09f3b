import pytest

from apps.common.errors import UserError
from apps.translator.subwords import (
    BOS,
    EOS,
    PAD,
    UNKNOWN,
    Subwords,
    decode,
    encode,
    learn,
    processor,
)
from tests.apps.translator.conftest import PAIRS

SENTENCES = [side for pair in PAIRS for side in pair]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def model(request):
    return learn(SENTENCES, 40, request.param)


def test_the_first_four_pieces_are_signs(model):
    pieces = processor(model)
    assert len(pieces) == 40
    assert pieces.id_to_piece([PAD, UNKNOWN, BOS, EOS]) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_pieces_are_put_together_to_the_sentence(model):
    ids = encode(model, SENTENCES)
    assert decode(model, ids) == SENTENCES
    assert not {PAD, UNKNOWN, BOS, EOS} & {i for row in ids for i in row}
    assert encode(model, [""]) == [[]] and decode(model, [[]]) == [""]
    assert UNKNOWN in encode(model, ["§"])[0]


def test_learning_and_sampling_are_functions_of_their_arguments(model):
    assert learn(SENTENCES, 40, "bpe") == learn(SENTENCES, 40, "bpe")
    sampled = encode(model, SENTENCES, alpha=0.3, seed=5)
    assert sampled == encode(model, SENTENCES, alpha=0.3, seed=5)
    assert sampled != encode(model, SENTENCES, alpha=0.3, seed=6)
    assert sampled != encode(model, SENTENCES)
    assert decode(model, sampled) == SENTENCES


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_vocabulary_that_the_sentences_do_not_allow_is_told_plainly(kind):
    with pytest.raises(UserError, match=r"^vocabulary_size 5000 is more than .*at most \d+$"):
        learn(SENTENCES, 5000, kind)
    with pytest.raises(UserError, match=r"^vocabulary_size 10 is too small: .*\d+ characters"):
        learn(SENTENCES, 10, kind)


def test_the_sizes_that_the_message_names_work():
    with pytest.raises(UserError) as caught:
        learn(SENTENCES, 5000, "unigram")
    most = int(str(caught.value).rsplit(" ", 1)[1])
    assert len(processor(learn(SENTENCES, most, "unigram"))) == most


def test_models_are_read_as_they_were_saved(tmp_path):
    subwords = Subwords(learn(SENTENCES, 40, "bpe"), learn(SENTENCES, 50, "bpe"))
    subwords.save(tmp_path)
    assert Subwords.read(tmp_path) == subwords
    assert subwords.sizes == (40, 50)


@pytest.mark.parametrize("damage", ["missing", "empty", "half"])
def test_a_damaged_model_is_named(tmp_path, damage):
    Subwords(*[learn(SENTENCES, 40, "bpe")] * 2).save(tmp_path)
    path = tmp_path / "target.model"
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(whole[: len(whole) // 2] if damage == "half" else b"")
    with pytest.raises(UserError, match=rf"^{path}: .*; train into a new folder$"):
        Subwords.read(tmp_path)
