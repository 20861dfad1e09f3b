"""The contract of apps: each one trains, resumes after a kill, evaluates, exports and predicts."""

import io
import json
import shlex
import shutil
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from apps import babi, copy_task, tagger, translator
from tests.apps import smallest
from tests.apps.babi.conftest import stories
from tests.apps.common.training.test_fit import final
from tests.apps.kill import train_and_kill
from tests.apps.translator.conftest import write_pairs


@dataclass(frozen=True)
class Case:
    """An app with a small training run: over 200 steps per epoch, with a checkpoint in between."""

    app: ModuleType
    options: dict[str, object]
    line: str  # input of `predict`
    write: Callable[[Path, int, int], object] | None = None  # write(path, examples, seed)
    examples: int = 0  # of the training file
    package: str = ""  # to run; by default apps.NAME
    bad: dict[str, str] = field(default_factory=dict)  # content of a training file -> message

    @property
    def name(self) -> str:
        return self.app.NAME

    def train(self, run: Path, files: Path) -> list[str]:
        """Return the arguments of `train`."""
        options = dict(self.options)
        if self.write:
            options |= {f"{split}_file": files / split for split in ("train", "dev", "test")}
        return ["train", *arguments(**options, run=run)]


def arguments(**options: object) -> list[str]:
    """Format the options of a command line; None is a flag."""
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [str(word) for word in words if word is not None]


def write_columns(path: Path, count: int, seed: int) -> None:
    """Write sentences in which a tag depends on the previous word; one in ten tags is wrong."""
    random, lines = np.random.default_rng(seed), []
    for _ in range(count):
        words = random.integers(12, size=random.integers(2, 12))
        tags = np.concatenate([[0], words[:-1] % 4])
        tags = np.where(random.random(len(words)) < 0.1, random.integers(4, size=len(words)), tags)
        lines += [f"{chr(97 + word)}\tT{tag}" for word, tag in zip(words, tags, strict=True)] + [""]
    path.write_text("\n".join(lines))


def write_reversed_pairs(path: Path, count: int, seed: int) -> None:
    """Write pairs of words and the same words in reverse order."""
    random = np.random.default_rng(seed)
    words = np.array(["ab", "cde", "fg", "hij", "kl"])
    sentences = [words[random.integers(5, size=random.integers(1, 7))] for _ in range(count)]
    write_pairs(path, [(" ".join(words), " ".join(words[::-1])) for words in sentences])


def write_labels(path: Path, count: int, seed: int) -> None:
    """Write digits, labeled by the parity of the last one."""
    numbers = np.random.default_rng(seed).integers(1000, size=count)
    write_pairs(path, [("odd" if n % 2 else "even", f"number {n}") for n in numbers])


CASES = [
    Case(
        tagger,
        {
            "units": 16,
            "embedding_size": 16,
            "batch_size": 4,
            "characters": "cnn",
            "character_units": 8,
            "output": "crf",
            "dropout": 0.2,
            "recurrent_dropout": 0.2,
            "ema": 0.95,
            "epochs": 2,
        },
        line="a b c",
        write=write_columns,
        examples=1000,
        bad={"": "contains no sentence", "a N\nb\n": "line 2: "},
    ),
    Case(
        translator,
        {
            "vocabulary_size": 20,
            "units": 8,
            "embedding_size": 8,
            "max_length": 24,
            "num_beams": 3,
            "subwords": "unigram",
            "subword_regularization": 0.1,
            "batch_size": 4,
            "epochs": 2,
            "average": 2,
        },
        line="ab cde",
        write=write_reversed_pairs,
        examples=900,
        bad={"": "contains no pair", "one\teins\ntwo zwei\n": "line 2: no tab"},
    ),
    Case(
        babi,
        {"units": 8, "hops": 2, "max_facts": 8, "batch_size": 4, "epochs": 2, "no_jit": None},
        line="Ines rowed to the pier. Omar rowed to the buoy. Where is Omar?",
        write=lambda path, count, seed: path.write_text(stories(count, seed)),
        examples=3000,
        bad={"": "contains no question", "Ines rowed.\n": "line 1: "},
    ),
    Case(
        copy_task,
        {
            "bits": 3,
            "max_length": 4,
            "units": 8,
            "memory_size": 8,
            "word_size": 4,
            "batch_size": 4,
            "curriculum": "prediction_gain",
            "steps_per_epoch": 220,
            "epochs": 2,
            "no_jit": None,
        },
        line="101 010",
    ),
    Case(
        smallest,
        {"units": 8, "batch_size": 4, "epochs": 2},
        line="number 7",
        write=write_labels,
        examples=2000,
        package="tests.apps.smallest",
        bad={"": "contains no pair", "odd\n": "line 1: no tab"},
    ),
]
every_app = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture
def app(case):
    return case.app


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the training, dev and test files of each app."""
    folder = tmp_path_factory.mktemp("files")
    for case in CASES:
        (folder / case.name).mkdir()
        for seed, split in enumerate(("train", "dev", "test")):
            if case.write:
                count = case.examples if split == "train" else 20
                case.write(folder / case.name / split, count, seed)
    return folder


@every_app
def test_it_has_the_functions_of_the_protocol(case):
    for name in ("load", "build", "validation", "evaluate", "export", "predict"):
        assert callable(getattr(case.app, name))
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = case.app.train


@every_app
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("train --preset xyz", "no preset 'xyz'; choose among"),
        ("train --epochs 0", "epochs must be at least 1, not 0"),
        ("train --learning_rate 0", "learning_rate must be above 0, not 0.0"),
        ("evaluate", "give either --run DIR or --saved_model DIR, e.g. --run runs/"),
        ("evaluate --run a --saved_model b", "give either --run DIR or --saved_model DIR"),
        ("evaluate --run nowhere", "nowhere: not a run, it has no config.json"),
        ("evaluate --run nowhere --picture a.txt", "a.txt: its name must end in .png, .svg, .pdf"),
        ("export --run nowhere", "nowhere: not a run, it has no config.json"),
        ("predict --saved_model nowhere a", "nowhere: no such folder"),
        ("predict --run a --file b a", "give either texts or --file FILE"),
    ],
)
def test_bad_arguments_get_a_one_line_error(case, refuses, args, message):
    refuses(args.split(), message)


@pytest.mark.parametrize("case", [c for c in CASES if c.write], ids=lambda case: case.name)
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--train_file", "x"], "give both or neither"),
        (["--test_file", "x"], "test_file requires train_file"),
        (["--train_file", "x", "--dev_file", "x"], "x: No such file"),
    ],
)
def test_user_files_belong_together(case, refuses, args, message):
    refuses(["train", *args], message)


@pytest.mark.parametrize(
    ("case", "content", "message"),
    [(case, *bad) for case in CASES for bad in case.bad.items()],
    ids=lambda value: value.name if isinstance(value, Case) else None,
)
def test_bad_training_files_get_a_one_line_error_and_leave_no_run(
    case, command, tmp_path, files, content, message
):
    args = case.train(tmp_path / "run", files / case.name)
    bad = tmp_path / "bad"
    bad.write_text(content)
    args[args.index("--train_file") + 1] = bad
    code, _, err = command(*args)
    last = err.splitlines()[-1]
    assert code == 2 and last.startswith(f"error: {bad}") and message in last, err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("case", [c for c in CASES if c.write], ids=lambda case: case.name)
def test_a_bad_test_file_is_refused_before_training(case, command, tmp_path, files):
    args = case.train(tmp_path / "run", files / case.name)
    args[args.index("--test_file") + 1] = tmp_path / "missing"
    code, _, err = command(*args)
    assert code == 2 and f"error: {tmp_path / 'missing'}: No such file" in err
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def runs(files, tmp_path_factory):
    """Return a run folder of each app, trained once without interruption."""
    folder, trained = tmp_path_factory.mktemp("runs"), {}

    def trained_run(case):
        if case.name not in trained:
            from apps.common import main

            trained[case.name] = folder / case.name
            assert main(case.app, case.train(folder / case.name, files / case.name)) == 0
        return trained[case.name]

    return trained_run


@pytest.mark.slow
@every_app
def test_a_killed_run_ends_like_an_uninterrupted_one(case, runs, files, tmp_path):
    """A process is killed in the middle of an epoch; another one resumes."""
    unbroken, killed = runs(case), tmp_path / "killed"
    package = case.package or f"apps.{case.name}"
    program = ["-m", package, *case.train(killed, files / case.name)]
    train_and_kill(program, killed / "checkpoint", spread=0.2)
    assert final(killed) == final(unbroken)


@pytest.mark.slow
@every_app
def test_it_evaluates_exports_and_predicts(
    case, command, last_json, runs, files, tmp_path, monkeypatch
):
    run = shutil.copytree(runs(case), tmp_path / "run")
    code, out, err = command(*case.train(run, files / case.name))
    assert code == 0 and "already trained for 2 epochs" in out, err
    read = [f"{files / case.name / split}: " for split in ("train", "dev")]
    assert all(map(str.startswith, err.splitlines(), read if case.write else ["train, dev: "])), err
    assert f"evaluate --run {run}" in out.split("Next:")[1]

    code, out, err = command("evaluate", "--run", run, "--json")
    assert code == 0, err
    row = last_json(out)
    assert row["app"] == case.name and row["command"].endswith("--json")
    assert row["train_command"].split()[3] == "train" and row["scores"] and row["baselines"]

    for version in (1, 2) if case.app is smallest else (1,):
        code, out, err = command("export", "--run", run)
        assert code == 0 and "self-test passed" in out, err
        assert (run / f"export/{case.name}/{version}/saved_model.pb").is_file()
    exports = run / "export" / case.name
    code, out, err = command("evaluate", "--saved_model", exports, "--json")
    assert code == 0, err
    saved = last_json(out)
    assert saved["scores"] == row["scores"]
    assert saved["evaluated_checksum"] == row["evaluated_checksum"]

    code, out, err = command("predict", "--run", run, case.line)
    assert code == 0 and out.strip(), err
    code, out, _ = command("predict", "--saved_model", exports / "1", "--json", case.line)
    record = json.loads(out)
    lines = tmp_path / "lines"
    lines.write_text(f"{case.line}\n" * 70)
    code, out, _ = command("predict", "--run", run, "--file", lines, "--json")
    assert code == 0 and len(out.splitlines()) == 70
    assert json.loads(out.splitlines()[0]).keys() == record.keys()

    lines = io.BytesIO(f"{case.line}\n".encode() + b"c\xff\n")
    stdin = types.SimpleNamespace(buffer=lines, isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)
    code, out, err = command("predict", "--run", run)
    assert code == 2 and out.strip()
    assert f"stdin, line 2: invalid UTF-8 at byte {len(case.line.encode()) + 2}" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in CASES if c.app is smallest], ids=lambda case: case.name
)
def test_a_finished_run_is_trained_longer(case, command, runs, files, tmp_path):
    run = shutil.copytree(runs(case), tmp_path / "run")
    before = (run / "metrics.jsonl").read_text()
    code, _, err = command(*case.train(run, files / case.name), "--epochs", 3)
    assert code == 0, err
    after = (run / "metrics.jsonl").read_text()
    assert after.startswith(before) and len(after.splitlines()) == 3
    code, out, err = command("evaluate", "--run", run)
    assert code == 0 and "accuracy" in out, err


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in CASES if c.app in (smallest, tagger)], ids=lambda case: case.name
)
def test_every_command_to_continue_with_works(case, command, files, tmp_path):
    """Without a test file, and for an app that is not in `apps`."""
    args = case.train(tmp_path / "run", files / case.name)
    place = args.index("--test_file")
    code, out, err = command(*args[:place], *args[place + 2 :], "--epochs", 1)
    assert code == 0, err
    lines, tried = out.split("Next:\n")[1].splitlines(), []
    for line in lines:  # the export adds more
        _, _, package, *args = shlex.split(line)
        assert package == (case.package or f"apps.{case.name}")
        code, out, err = command(*args)
        assert code == 0 and out.strip(), err
        tried.append(args[0])
        lines += out.partition("Next:\n")[2].splitlines()
    assert tried == ["evaluate", "export", "predict"]


@pytest.mark.slow
@every_app
def test_damaged_files_are_reported(case, command, runs, files, tmp_path):
    run = shutil.copytree(runs(case), tmp_path / "run")
    train = case.train(run, files / case.name)
    metrics = (run / "metrics.jsonl").read_text()
    for file in ("checkpoint", "model.keras"):
        whole = (run / file).read_bytes()
        (run / file).write_bytes(whole[:1000])
        code, _, err = command(*(train if file == "checkpoint" else ["evaluate", "--run", run]))
        assert code == 2 and f"{run / file}: damaged" in err
        assert (run / file).read_bytes() == whole[:1000]
        (run / file).write_bytes(whole)
    assert (run / "metrics.jsonl").read_text() == metrics

    code, _, err = command(*train, "--seed", "77")
    assert code == 2 and "seed (" in err and "now 77)" in err
    if case.write:
        case.write(tmp_path / "dev", 10, 5)
        code, _, err = command(*train[:-2], "--dev_file", tmp_path / "dev", *train[-2:])
        assert code == 2 and "another configuration: dev_file" in err
        kept = (files / case.name / "dev").read_bytes()
        case.write(files / case.name / "dev", 10, 5)
        code, _, err = command(*train)
        (files / case.name / "dev").write_bytes(kept)
        assert code == 2 and "data have changed" in err
