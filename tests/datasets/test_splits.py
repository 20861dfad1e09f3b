from datasets.splits import hold_out


def test_the_draw_depends_only_on_the_seed_and_the_number_of_items():
    drawn = hold_out(range(50), count=5, seed=3)
    assert len(drawn) == 5 and drawn <= set(range(50))
    assert hold_out([str(item) for item in range(50)], count=5, seed=3) == set(map(str, drawn))
    assert hold_out(range(50), count=5, seed=4) != drawn
