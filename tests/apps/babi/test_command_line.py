"""The real command line, in this process."""

import pytest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--hops", "0"], "hops must be at least 1, not 0"),
        (["train", "--noise", "1"], "noise must lie in [0, 1), not 1.0"),
        (["train", "--learning_rate", "0"], "learning_rate must be above 0, not 0.0"),
        (["train", "--train_file", "x"], "give both or neither"),
        (["train", "--test_file", "x"], "test_file needs train_file"),
        (["train", "--train_file", "x", "--dev_file", "x"], "x: No such file"),
        (["predict", "--saved_model", "nowhere", "a"], "nowhere: no exported version"),
    ],
)
def test_bad_arguments_get_one_line(refuses, args, message):
    refuses(args, message)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["memory_network", "dnc"])
def test_it_trains_exports_reloads_and_answers(command, last_json, files, tmp_path, model):
    train, dev, test = files
    run = tmp_path / "run"
    sizes = {"units": 8, "memory_size": 4, "word_size": 4, "num_reads": 1, "batch_size": 20}
    options = [f"--{name}={value}" for name, value in sizes.items()]
    given = [f"--train_file={train}", f"--dev_file={dev}", f"--test_file={test}"]
    options += [*given, f"--model={model}", "--epochs=1", f"--run={run}"]
    options += ["--jit"] if model == "memory_network" else ["--no_jit"]  # XLA takes a minute
    code, out, err = command("train", *options)
    assert code == 0, err
    assert "epoch 1/1" in out + err
    code, out, err = command("evaluate", "--run", run, "--json")
    assert code == 0, err
    row = last_json(out)
    assert set(row["scores"]) == {"mean_error", "failed_tasks", "qa1"}
    code, out, err = command("export", "--run", run)
    assert code == 0 and "self-test passed" in out, err
    exported = run / "export" / "babi"
    code, out, err = command("evaluate", "--saved_model", exported, "--json")
    assert code == 0 and last_json(out)["scores"] == row["scores"], err
    line = "Ines rowed to the pier. Omar rowed to the buoy. Where is Omar?"
    code, out, err = command("predict", "--run", run, line, "--json")
    assert code == 0, err
    answer = last_json(out)
    assert answer["answer"] in ("pier", "island", "buoy")
    assert answer["facts"] == ["Ines rowed to the pier.", "Omar rowed to the buoy."]
    assert ("attention" in answer) == (model == "memory_network")
