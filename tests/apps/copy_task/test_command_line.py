"""The real command line, in this process."""

import json

import pytest

TINY = {
    "bits": 3,
    "max_length": 3,
    "max_repeats": 2,
    "units": 6,
    "memory_size": 6,
    "word_size": 4,
    "batch_size": 4,
    "steps_per_epoch": 3,
    "epochs": 2,
}
OPTIONS = [str(word) for name, value in TINY.items() for word in (f"--{name}", value)]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--units", "0"], "units must be at least 1, not 0"),
        (["train", "--cell", "dnc", "--num_writes", "2"], "a dnc has one write head"),
        (["train", "--task", "associative_recall", "--max_length", "1"], "needs at least 2"),
        (["predict", "--run", "nowhere", "--random", "1000000"], "random must be 1 to 10000,"),
        (["predict", "--run", "nowhere", "--seed", "-1"], "seed must be at least 0, not -1"),
    ],
)
def test_bad_arguments_get_a_one_line_error(refuses, args, message):
    refuses(args, message)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["ntm", "dnc", "sparse_ntm", "lstm"])
def test_it_trains_evaluates_exports_and_copies(command, last_json, tmp_path, cell):
    run = tmp_path / "run"
    code, out, err = command("train", *OPTIONS, "--cell", cell, "--no_jit", "--run", run)
    assert code == 0 and "epoch 2/2" in out + err, err
    curve = tmp_path / "curve.png"
    code, out, err = command("evaluate", "--run", run, "--picture", curve, "--json")
    assert code == 0 and curve.stat().st_size > 1000, err
    assert set(last_json(out)["scores"]) >= {"bit_errors_10", "bits_120"}
    code, out, err = command("export", "--run", run)
    assert code == 0 and "self-test passed" in out, err
    heads = tmp_path / "heads.png"
    code, out, err = command("predict", "--run", run, "--random", "7", "--picture", heads)
    assert code == 0 and out.startswith("  random: ") and heads.stat().st_size > 1000
    assert ("the memory's 6 slots" in err) is (cell != "lstm")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["repeat_copy", "associative_recall", "priority_sort"])
def test_the_other_tasks_train_evaluate_and_export(command, tmp_path, task):
    run = tmp_path / "run"
    code, _, err = command("train", *OPTIONS, "--task", task, "--no_jit", "--run", run)
    assert code == 0, err
    code, out, err = command("evaluate", "--run", run)
    assert code == 0 and "guessing" in out, err
    code, out, err = command("export", "--run", run)
    assert code == 0 and "self-test passed" in out, err


@pytest.mark.slow
def test_a_diverged_step_is_saved_for_replay(command, tmp_path, capsys):
    from seqkit.diagnostics.nan_guard import main as replay

    run = tmp_path / "run"
    # At this step size the weights overflow.
    code, _, err = command(
        "train",
        *OPTIONS,
        "--no_jit",
        "--run",
        run,
        "--learning_rate",
        "1e38",
        "--clip_norm",
        "1e30",
    )
    assert code == 2 and "NanGuard stopped the training at epoch 1, step 2" in err
    assert replay(["--replay", str(run / "nan.zip")]) == 0
    assert capsys.readouterr().out.rstrip().endswith("\nreproduced")


@pytest.fixture
def result(tmp_path):
    """A result of `evaluate --json`."""
    path = tmp_path / "result.json"
    scores = {"bit_errors_10": 0.0, "bit_errors_20": 1.5, "bits_10": 9.0}
    path.write_text(
        json.dumps({"app": "copy_task", "seed": 3, "scores": scores, "evaluated_checksum": ""})
    )
    return path


def test_compare_draws_results(command, result, tmp_path):
    picture = tmp_path / "curves.svg"
    code, out, err = command("compare", picture, result, f"LSTM={result}")
    assert (code, out, err) == (0, "", f"wrote {picture}\n")
    drawn = picture.read_text()
    assert "<!-- seed 3 -->" in drawn and "<!-- LSTM -->" in drawn


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a result of copy_task's evaluate --json"),
        ("[]", "not a result of copy_task's evaluate --json"),
        ('{"app": "tagger"}', "not a result of copy_task's evaluate --json"),
        ('{"app": "copy_task", "scores": {}}', "not a result of copy_task's evaluate --json"),
        (
            '{"app": "copy_task", "seed": 1, "scores": {}, "evaluated_checksum": ""}',
            "no bit errors by length",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(command, tmp_path, content, message):
    path, picture = tmp_path / "other.json", tmp_path / "curves.svg"
    path.write_text(content)
    code, _, err = command("compare", picture, path)
    assert code == 2 and message in err and not picture.exists()


def test_results_to_compare_are_required_and_have_distinct_names(command, result, tmp_path):
    assert "give the results" in command("compare", tmp_path / "curves.svg")[2]
    code, _, err = command("compare", tmp_path / "curves.svg", result, result)
    assert code == 2 and "another result is named seed 3" in err
