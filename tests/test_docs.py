"""The documents are correct: code and commands work, and figures match the committed results."""

import importlib
import json
import pkgutil
import re
import shlex
import statistics
from pathlib import Path

import pytest

import seqkit
from apps.common.command_line import parse
from docs import api

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"
DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
# Beginning of a row of the summary -> the files and the key of its figures.
SUMMARY = {
    "parts of speech": ("tagger_ud_english_ewt_seed?", "accuracy"),
    "the same from raw text": ("tagger_ud_english_ewt_seed?", "tag_f1"),
    "chunks": ("tagger_conll2000_seed?", "f1"),
    "captions": ("translator_multi30k_seed1", "bleu_lower_tok"),
    "the same from one vector": ("translator_multi30k_fixed_context_seed1", "bleu_lower_tok"),
    "short sentences": ("translator_tatoeba_seed1", "bleu"),
    "King James": ("translator_king_james_seed1", "chrf"),
    "dates": ("translator_quick_seed1", "exact"),
    "copying 120 vectors": ("copy_task_copy_seed?", "bit_errors_120"),
    "the same, three seeds": ("copy_task_copy_seed1?", "bit_errors_120"),
    "recalling": ("copy_task_associative_recall_seed0", "bit_errors_12"),
    "questions": ("babi_memory_network_seed0", "mean_error"),
}


def text_of(document):
    return (ROOT / document).read_text()


def python_blocks(document):
    return re.findall(r"```python\n(.*?)```", text_of(document), re.DOTALL)


def commands(document):
    """Return the lines of a document's code blocks that start with `python -m` or `make`."""
    blocks = re.findall(r"```\w*\n(.*?)```", text_of(document), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines if line[:5] in ("pytho", "make ")]
    found += map(shlex.split, re.findall(r"`(make [\w-]+|python -m [^`]+)`", text_of(document)))
    return found


def table_rows(document):
    """Yield (header, cells) of each row of a document's tables."""
    header = None
    for line in text_of(document).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            header = None
        elif header is None:
            header = cells
        elif set(line) - set("|- "):
            yield header, cells


@pytest.mark.parametrize(
    ("document", "block"),
    [
        pytest.param(document, block, id=f"{document}-{i}")
        for document in DOCUMENTS
        for i, block in enumerate(python_blocks(document))
        if not block.startswith("# TensorFlow Addons")
    ],
)
def test_code_in_the_documents_runs(document, block):
    assert sum(bool(line.strip()) for line in block.splitlines()) <= 40
    exec(compile(block, document, "exec"), {"__name__": "__main__"})


def test_the_readme_has_code():
    assert len(python_blocks("README.md")) >= 5


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_named_in_a_document_exist(document):
    text = text_of(document)
    for name in re.findall(r"`((?:docs|tests|apps|seqkit|datasets|benchmarks)/[\w./]+)`", text):
        assert (ROOT / name).exists(), f"{document} names {name}"
    for target in re.findall(r"(?:\]\(|src=\")([^)\"#:]+)[)\"]", text):
        assert ((ROOT / document).parent / target).exists(), f"{document} links to {target}"


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d != "CHANGELOG.md"])
def test_the_commands_of_the_documents_exist(document):
    targets = re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE)
    for command in commands(document):
        if command[0] == "make":
            assert command[1] in targets, command
        else:
            module, args = command[2], [arg.replace("SEED", "1") for arg in command[3:]]
            assert importlib.util.find_spec(module), command
            if module.startswith("apps.") and module.count(".") == 1 and args:
                parse(importlib.import_module(module), args)


def test_the_api_page_is_generated_from_the_docstrings():
    """`page` raises if a public name has no summary."""
    assert api.PAGE.read_text() == api.page(), "run: make api"


def test_the_api_page_has_every_package_and_every_name_once():
    packages = {
        f"seqkit.{module.name}" for module in pkgutil.iter_modules(seqkit.__path__) if module.ispkg
    }
    assert packages <= set(api.MODULES)
    names = re.findall(r"^\| \[`([\w.]+)`", text_of("docs/api.md"), re.MULTILINE)
    assert len(names) == len(set(names))
    assert {f"seqkit.{name}" for name in seqkit.__all__} <= set(names)


def test_figures_in_the_results_match_the_committed_files():
    """A row that ends in `file.json` lists its figures in the order of the keys in the header.

    With `?` in its name, they are the mean and the standard deviation over the matching files.
    """
    rows = 0
    for document in DOCUMENTS:
        for header, (row, *cells, file) in table_rows(document):
            if header[-1] != "file":
                continue
            rows += 1
            results = [
                json.loads(path.read_text()) for path in sorted(RESULTS.glob(file.strip("`")))
            ]
            assert results, file
            for key, cell in zip(header[1:-1], cells, strict=True):
                if "?" in file:
                    values = [result["scores"][key] for result in results]
                    mean, deviation = statistics.mean(values), statistics.stdev(values)
                    assert cell == f"{mean:.2f} ± {deviation:.2f}", f"{document}, {row}: {key}"
                else:
                    assert cell == shown(results[0], row, key), f"{document}, {row}: {key}"
    assert rows > 50


@pytest.mark.parametrize("document", ["README.md", "docs/results.md"])
def test_figures_in_the_summary_match_the_committed_files(document):
    """A single figure is the mean over the files; two are their median and the worst."""
    rows = [cells for header, cells in table_rows(document) if "reached" in header]
    assert len(rows) >= 8
    for task, _metric, reached, *_ in rows:
        pattern, key = SUMMARY[max((s for s in SUMMARY if task.startswith(s)), key=len)]
        values = [
            json.loads(path.read_text())["scores"][key] for path in RESULTS.glob(f"{pattern}.json")
        ]
        figures = reached.split(", ")
        if len(figures) == 1:
            expected = [statistics.mean(values)]
        else:
            expected = [statistics.median(values), max(values)]
        digits = len(figures[0].partition(".")[2])
        assert figures == [f"{value:.{digits}f}" for value in expected], task


def shown(result, row, key):
    """Format a figure as in the table."""
    if row in result:  # a mode of benchmarks.crf
        return f"{result[row][key]:.2f}" if key == "ratio" else f"{result[row][key]:.0f}"
    if "sentences_per_second" in result:  # benchmarks.tagger
        return f"{result[key]:,.0f}"
    if isinstance(result.get("rows"), dict):  # benchmarks.memory, .decoding, .translator
        found = result["rows"][row]
        if key == "ratio":
            return f"{found['ratio']:.1f}"
        return f"{found['ms'][key] if 'ms' in found else found[key]:,.0f}"
    if "rows" in result:  # the sizes of benchmarks.recurrent
        [found] = [r for r in result["rows"] if row == "x".join(map(str, r["size"]))]
        value = found["ratio"]["keras"] if key == "ratio" else found["ms"].get(key)
        return f"{value:.2f}" if key == "ratio" else f"{value:.0f}"
    if key in result.get("by_length", {}):
        return f"{result['by_length'][key]['bleu']:.2f}"
    system = result["scores"] if row.startswith("model") else result["baselines"][row]
    return f"{system[key]:.2f}"
