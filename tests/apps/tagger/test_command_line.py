"""The real command line, in this process."""

import json
import shutil

import pytest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "--preset", "quik"], "no preset 'quik'; did you mean quick?"),
        (["train", "--preset=slow"], "no preset 'slow'; choose among quick, ud_english_ewt"),
        (["train", "--units", "0"], "units must be at least 1, not 0"),
        (["train", "--dropout", "1"], "dropout must lie in [0, 1), not 1.0"),
        (["train", "--column", "2"], "column requires train_file"),
        (["train", "--auxiliary", "pos"], "king_james has no column 'pos', none"),
        (["train", "--preset", "conll2000", "--auxiliary", "xpos"], "'xpos', only pos"),
        (["predict", "--run", "a", "--n_best", "0", "a"], "n_best must be 1 to 1000, not 0"),
    ],
)
def test_bad_arguments_get_a_one_line_error(refuses, args, message):
    refuses(args, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "contains no sentence"),
        (b"a N\nb\n", "line 2: "),
        (b"a N X\nb N X\n", "none of the tags (X (line 1)) occur in training"),
        (b"a S-N\n", "training has plain tags"),
        (b"a N\n\xff N\n", "line 2: invalid UTF-8 at byte 4"),
    ],
)
def test_bad_training_files_get_a_one_line_error_and_leave_no_run(
    command, tmp_path, columns_file, content, message
):
    path = tmp_path / "bad.conll"
    if content is not None:
        path.write_bytes(content)
    run = tmp_path / "run"
    code, _, err = command("train", "--run", run, "--train_file", columns_file, "--dev_file", path)
    assert code == 2
    assert err.startswith(f"error: {path}")
    assert message in err
    assert err.count("\n") == 1
    assert not run.exists()


def test_a_run_with_another_configuration_is_not_changed(command, untrained_run):
    before = sorted((path, path.stat().st_mtime_ns) for path in untrained_run.rglob("*"))
    code, _, err = command("train", "--run", untrained_run, "--units", "9")
    assert code == 2 and "another configuration: units (was 8, now 9); use" in err
    code, _, err = command("train", "--preset", "quick", "--run", untrained_run)
    assert code == 2 and "embedding_size (was 8, now 128)" in err
    assert sorted((path, path.stat().st_mtime_ns) for path in untrained_run.rglob("*")) == before


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("output", "crff", "output is 'crff'; did you mean crf?"),
        ("auxiliary", "xpos", "auxiliary must be a list, not 'xpos'"),
    ],
)
def test_a_wrong_value_in_the_configuration_is_reported(
    command, untrained_run, tmp_path, key, value, message
):
    run = shutil.copytree(untrained_run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, key: value}))
    code, _, err = command("evaluate", "--run", run)
    assert code == 2
    assert message in err


def test_a_misspelled_key_in_the_configuration_is_reported(command, untrained_run, tmp_path):
    run = shutil.copytree(untrained_run, tmp_path / "run")
    text = (run / "config.json").read_text()
    (run / "config.json").write_text(text.replace('"epochs"', '"epoch"'))
    code, _, err = command("evaluate", "--run", run)
    assert code == 2
    assert "unknown key 'epoch'; did you mean epochs?" in err


@pytest.mark.parametrize("file", ["model.keras", "vocabulary.json"])
def test_damaged_files_of_a_run_are_reported(command, untrained_run, tmp_path, file):
    run = shutil.copytree(untrained_run, tmp_path / "run")
    whole = (run / file).read_bytes()
    (run / file).write_bytes(whole[: len(whole) // 2])
    code, _, err = command("evaluate", "--run", run, "--split", "dev")
    assert code == 2
    assert f"{run / file}: damaged" in err
    (run / file).unlink()
    code, _, err = command("evaluate", "--run", run, "--split", "dev")
    assert code == 2
    assert f"{run / file}: no such file" in err


@pytest.mark.slow
def test_a_tagger_trains_evaluates_exports_and_predicts(command, last_json, columns_file, tmp_path):
    run = tmp_path / "run"
    train = ["train", "--run", run, "--train_file", columns_file, "--dev_file", columns_file]
    train += ["--units", 16, "--embedding_size", 8, "--batch_size", 8, "--epochs", 12]
    train += ["--min_count", 1, "--dropout", 0, "--word_dropout", 0, "--learning_rate", 0.05]
    train += ["--ema", "None"]
    code, _, err = command(*train)
    assert code == 0, err
    assert (run / "vocabulary.json").is_file()

    # The tag depends on the position: the model can learn it, a baseline of words can't.
    code, out, err = command("evaluate", "--run", run, "--split", "dev", "--json")
    assert code == 0, err
    row = last_json(out)
    assert row["scores"]["accuracy"] == 100
    assert row["baselines"]["most frequent tag of the word"]["accuracy"] < 90
    assert (row["seed"], row["size"]) == (1, {"sentences": 32, "words": 80})
    assert "label  precision  recall" in out
    code, _, err = command("evaluate", "--run", run, "--split", "test")
    assert code == 2 and "trained without a test_file" in err

    code, out, err = command("export", "--run", run)
    assert code == 0 and out.count("self-test passed") == 2, err
    assert (run / "export/tagger_ids/1/saved_model.pb").is_file()
    assert command("predict", "--run", run, "a b c", "") == (0, "a/N b/V c/N\n\n", "")
    code, out, _ = command("predict", "--run", run, "--n_best", 2, "--json", "a b")
    record = json.loads(out)
    assert (record["words"], record["tags"]) == (["a", "b"], ["N", "V"])
    best = record["n_best"]
    assert best[0]["tags"] == ["N", "V"]
    assert best[0]["probability"] > best[1]["probability"]

    lines, page = tmp_path / "lines", tmp_path / "page.html"
    lines.write_text("a b\n\n" + "c\n" * 70)
    code, out, err = command("predict", "--run", run, "--file", lines, "--html", page)
    assert (code, out, err) == (0, "", f"wrote {page}\n")
    assert page.read_text().count(">c<") == 70
    code, out, err = command("predict", "--run", run, "--file", lines, "--html", page)
    assert (code, out) == (2, "") and f"{page}: already exists" in err
    code, out, err = command("predict", "--run", run, "a b", "\udcff")  # a byte that is not UTF-8
    assert (code, out) == (2, "a/N b/V\n")
    assert "argument 2, line 1: invalid UTF-8 at byte 0 (0xff)" in err

    exports = run / "export/tagger"
    variables = next((exports / "1/variables").glob("*.data*"))
    variables.write_bytes(variables.read_bytes()[:100])
    code, _, err = command("predict", "--run", run, "a")
    assert code == 2 and f"{exports / '1'}: damaged" in err


@pytest.fixture
def chunks_file(tmp_path):
    """Return a file of two-word names in IOB1 after `at` or `by`, which determines the class."""
    path = tmp_path / "chunks.conll"
    sentences = []
    for first, last in [("New", "York"), ("Ada", "Lovelace"), ("Old", "Jersey"), ("Alan", "Kay")]:
        for word, name in ("at", "LOC"), ("by", "PER"):
            rows = [("made", "V", "O"), (word, "P", "O")]
            sentences.append([*rows, (first, "N", f"I-{name}"), (last, "N", f"I-{name}")])
    text = "\n\n".join("\n".join(map(" ".join, rows)) for rows in sentences * 4)
    path.write_text(text + "\n")
    return path


@pytest.mark.slow
def test_a_span_tagger_with_every_option_trains_and_predicts(
    command, last_json, chunks_file, tmp_path
):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("york 1 2 3\nlovelace -1 0 1\nboston 1 2 2\n")
    run = tmp_path / "run"
    train = ["train", "--run", run, "--train_file", chunks_file, "--dev_file", chunks_file]
    train += ["--auxiliary", 2, "--vectors", vectors, "--casing", "--characters", "cnn"]
    train += ["--character_units", 8, "--units", 16, "--layers", 2, "--output", "crf"]
    train += ["--batch_size", 8, "--epochs", 15, "--learning_rate", 0.02, "--ema", "None"]
    code, _, err = command(*train)
    assert code == 0, err
    assert "auxiliary_0_loss" in (run / "metrics.jsonl").read_text()
    code, out, err = command("evaluate", "--run", run, "--split", "dev", "--json")
    assert code == 0, err
    assert last_json(out)["scores"]["f1"] == 100
    assert last_json(out)["baselines"]["most frequent tag of the word"]["f1"] < 90
    code, _, err = command("export", "--run", run)
    assert code == 0, err
    code, out, err = command("predict", "--run", run, "made by Ada Lovelace")
    assert (code, out, err) == (0, "made/O by/O Ada/B-PER Lovelace/I-PER\n", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a 1 2\nb 1\n", "line 2: 1 numbers, not 2"),
        ("a 1 2\nb 1 x\n", "line 2: could not convert"),
        ("", "contains no vector"),
    ],
)
def test_bad_vectors_get_a_one_line_error(command, tmp_path, columns_file, content, message):
    vectors, run = tmp_path / "vectors.txt", tmp_path / "run"
    vectors.write_text(content)
    files = ["--train_file", columns_file, "--dev_file", columns_file]
    code, _, err = command("train", "--run", run, *files, "--vectors", vectors)
    assert code == 2
    assert err.startswith(f"error: {vectors}")
    assert message in err
    assert err.count("\n") == 1
    assert not run.exists()


def test_mixed_schemes_get_a_one_line_error(command, tmp_path, columns_file):
    mixed = tmp_path / "mixed.conll"
    mixed.write_text("a S-X\n\na I-X\nb I-X\n")
    files = ["--train_file", mixed, "--dev_file", columns_file]
    code, _, err = command("train", "--run", tmp_path / "run", *files)
    assert code == 2
    assert err.startswith(f"error: {mixed}, line 3: span schemes are mixed: line 1 is")
    assert err.count("\n") == 1


def test_a_missing_column_gets_a_one_line_error(command, tmp_path, columns_file):
    files = ["--train_file", columns_file, "--dev_file", columns_file]
    for options in (["--column", 5], ["--auxiliary", 5]):
        code, _, err = command("train", "--run", tmp_path / "run", *files, *options)
        assert code == 2
        assert err == (
            f"error: {columns_file}, line 1: no column 5, the line has 2; choose another\n"
        )
