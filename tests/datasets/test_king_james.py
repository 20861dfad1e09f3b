from datasets.king_james.reading import DEV_BOOKS, TEST_BOOKS, verses


def test_splits_are_disjoint_and_complete():
    sizes = {split: len(verses(split)) for split in ("train", "dev", "test")}
    assert sum(sizes.values()) == 31_102  # the verses of the King James Bible
    assert not DEV_BOOKS & TEST_BOOKS
    assert min(sizes.values()) > 1_500


def test_whole_books_are_held_out():
    train, dev, test = verses("train"), verses("dev"), verses("test")
    assert train[0].startswith("In the beginning God created the heaven")
    assert dev[0].startswith("Now after the death of Moses")
    assert test[0].startswith("Now after the death of Joshua")
    assert dev[-1].endswith("Amen.")


def test_words_supplied_by_the_translators_are_kept_without_brackets():
    text = " ".join(verses("train"))
    assert "darkness was upon the face of the deep" in text
    assert "[" not in text
    assert "\n" not in text
