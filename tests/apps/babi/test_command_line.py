"""The real command line, in this process."""

import pytest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--hops", "1000"], "hops must be 1 to 100, not 1000"),
        (["train", "--noise", "1"], "noise must lie in [0, 1), not 1.0"),
    ],
)
def test_bad_arguments_get_a_one_line_error(refuses, args, message):
    refuses(args, message)


@pytest.mark.slow
def test_a_dnc_trains_exports_and_answers(command, last_json, files, tmp_path):
    train, dev, test = files
    run = tmp_path / "run"
    sizes = {"units": 8, "memory_size": 4, "word_size": 4, "num_reads": 1, "batch_size": 20}
    options = [f"--{name}={value}" for name, value in sizes.items()]
    given = [f"--train_file={train}", f"--dev_file={dev}", f"--test_file={test}"]
    options += [*given, "--model=dnc", "--epochs=1", "--no_jit", f"--run={run}"]
    code, out, err = command("train", *options)
    assert code == 0, err
    code, out, err = command("evaluate", "--run", run, "--json")
    assert code == 0, err
    assert set(last_json(out)["scores"]) == {"mean_error", "failed_tasks", "qa1"}
    code, out, err = command("export", "--run", run)
    assert code == 0 and "self-test passed" in out, err
    line = "Ines rowed to the pier. Omar rowed to the buoy. Where is Omar?"
    code, out, err = command("predict", "--run", run, line, "--json")
    assert code == 0, err
    answer = last_json(out)
    assert answer["answer"] in ("pier", "island", "buoy")
    assert answer["facts"] == ["Ines rowed to the pier.", "Omar rowed to the buoy."]
    assert "attention" not in answer
