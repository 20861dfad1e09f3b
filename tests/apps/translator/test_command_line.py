"""The real command line, in this process."""

import json

import pytest

from apps import babi
from apps.common import main
from apps.common.splits import checksum
from tests.apps.translator.conftest import OPTIONS, PAIRS, write_pairs


def test_an_app_without_score_has_no_such_command(capsys):
    with pytest.raises(SystemExit):
        main(babi, ["score", "--run", "nowhere", "a", "b"])
    assert "score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--units", "0"], "units must be at least 1, not 0"),
        (["train", "--num_beams", "100000"], "num_beams must be 1 to 100, not 100000"),
        (["train", "--max_length", "1000000"], "max_length must be 1 to 10000, not 1000000"),
        (["train", "--dropout", "1"], "dropout must lie in [0, 1), not 1.0"),
        (["train", "--train_file", "no.en,no.de", "--dev_file", "x"], "no.en: No such file"),
        (["train", "--source", "de"], "dates does not translate 'de'"),
        (["predict", "--run", "a", "--n_best", "0", "a"], "n_best must be 1 to 100, not 0"),
        (["predict", "--run", "a", "--sample", "2", "--n_best", "2"], "either n_best or sample"),
        (["score", "--run", "a", "one"], "give either two texts"),
        (["score", "--run", "a", "one", "two", "three"], "give either two texts"),
        (["score", "--run", "a", "--file", "b", "one", "two"], "give either two texts"),
        (["score", "one", "two"], "give either --run DIR or --saved_model DIR"),
        (["score", "--run", "nowhere", "one", "two"], "nowhere: not a run"),
        (["score", "--run", "a", "one", "\udcff"], "argument 2, line 1: invalid UTF-8 at byte 0"),
    ],
)
def test_bad_arguments_get_a_one_line_error(refuses, args, message):
    refuses(args, message)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"one\teins\ntwo\t\n", [], "line 2: the target is empty"),
        (b"one\teins\n\xff\tzwei\n", [], "line 2: invalid UTF-8 at byte 9"),
        (None, ["--vocabulary_size", "9000"], "vocabulary_size 9000 is more than the training"),
        (None, ["--vocabulary_size", "5"], "vocabulary_size 5 is too small"),
        (None, ["--max_length", "1"], "no training pairs are left"),
    ],
)
def test_bad_training_data_get_a_one_line_error_and_leave_no_run(
    command, tmp_path, content, options, message
):
    path = tmp_path / "bad.tsv"
    write_pairs(path)
    if content is not None:
        path.write_bytes(content)
    run = tmp_path / "run"
    code, _, err = command(
        "train", "--run", run, "--train_file", path, "--dev_file", path, *OPTIONS, *options
    )
    assert code == 2
    assert message in err.splitlines()[-1] and err.splitlines()[-1].startswith("error: ")
    assert not run.exists()


@pytest.mark.slow
def test_evaluation_of_an_export(command, last_json, exported_run, tmp_path):
    exports, curve = exported_run / "export/translator", tmp_path / "curve.png"
    pairs = write_pairs(tmp_path / "pairs.tsv")
    args = ["--saved_model", exports, "--test_file", pairs, "--picture", curve, "--json"]
    code, out, err = command("evaluate", *args)
    assert code == 0 and curve.stat().st_size > 1000, err
    row = last_json(out)
    assert "words of the source  sentences" in out and "exposure bias: " in out
    assert set(row["baselines"]) == {"greedy", "copying the source"}
    assert row["size"] == {"sentences": 60, "words of the source": 180}
    assert row["by_length"]["1-5"]["sentences"] == 60
    assert row["evaluated_checksum"] == checksum(PAIRS)
    code, _, err = command("evaluate", "--saved_model", exports, "--split", "test")
    assert code == 2 and "trained without a test_file" in err


def warnings_of_sources(err):
    """Return the lines of stderr, without those about the incomplete translations of TINY."""
    return [line for line in err.splitlines() if "is incomplete" not in line]


@pytest.mark.slow
def test_an_export_translates_and_scores(command, last_json, exported_run, tmp_path):
    picture = tmp_path / "attention.png"
    code, out, err = command(
        "predict", "--run", exported_run, "--attention", picture, "--n_best", 3, "one red dogs"
    )
    assert code == 0 and warnings_of_sources(err) == [f"wrote {picture}"]
    assert picture.stat().st_size > 1000
    first, *others = out.splitlines()
    assert others[0].split("  ", 2)[2] == first and len(others) == 3

    lines = tmp_path / "lines"
    lines.write_text("one red dogs\n\n" + "red old " * 625 + "\n")
    code, out, err = command("predict", "--run", exported_run, "--file", lines, "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [record["cut"] for record in records] == [False, False, True]
    assert warnings_of_sources(err) == ["warning: line 3: too long; only the beginning is used"]
    assert records[0]["translation"] == first and records[1]["translation"] == ""

    code, _, err = command("predict", "--run", exported_run, "--n_best", 4, "two")
    assert (code, err) == (2, "error: n_best is 4, but this export has a beam of 3\n")

    pairs = write_pairs(tmp_path / "pairs.tsv", PAIRS[:2])
    code, out, err = command("score", "--run", exported_run, "--file", pairs)
    assert (code, err) == (0, "")
    assert [line.split("  ", 2)[2] for line in out.splitlines()] == [t for _, t in PAIRS[:2]]
    code, out, _ = command(
        "score", "--saved_model", exported_run / "export/translator/1", *PAIRS[1], "--json"
    )
    record = last_json(out)
    assert code == 0 and record["log_likelihood"] == pytest.approx(sum(record["log_probabilities"]))
    assert record["pieces"][-1] == "</s>" and len(record["pieces"]) > 2
